"""What changes a migrated schema at run time is found before the command runs, with the names of table and column."""

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import evidence, gone, proper, run, web
from tests.scenarios.seeder import seeder

ALTERS = """
alter table notes alter column body drop not null;
alter table notes alter column kind type varchar(40);
alter table notes add column tag text;
create table jobs (id int primary key);
"""


def _sql(folder, text):
    """SQL of the golden dataset, run after its tables were loaded."""
    (folder / "testdata" / "golden" / "notes" / "db" / "010-more.sql").write_text(text)


@product("runtime", RUNTIMES, some=[["local"]])
def test_a_dataset_that_alters_a_migrated_table_is_refused(project, home, runtime):
    folder = project("small")
    _sql(folder, ALTERS)
    said = run(folder, runtime)
    proper(
        said,
        122,
        "db.notes.body: the schema is not as the migrations left it: it may be null, and might not be",
        "db.notes.kind: the schema is not as the migrations left it: it is character varying(40), and was text",
        "db.notes.tag: the schema is not as the migrations left it: the column (text) was added",
        "make the change in a migration",
    )
    evidence(folder)
    gone(folder, home)


def test_a_service_that_drops_a_column_at_its_start_is_found(project, home):
    """It talks to the database as any service does, with a driver of its own."""
    folder = project("small")
    text = (folder / "web" / "web.py").read_text()
    drops = "import os, psycopg\nwith psycopg.connect(os.environ['DATABASE_URL']) as database:\n"
    drops += "    database.execute('alter table notes drop column pinned')\n    database.execute('drop table if exists kinds cascade')\n"
    web(folder, drops + text)
    said = run(folder, "local")
    proper(
        said,
        122,
        "db.notes.pinned: the schema is not as the migrations left it: the column (boolean) is gone",
        "db.kinds: the schema is not as the migrations left it: the table is gone",
        "db.notes: the schema is not as the migrations left it: notes_kind_fkey is gone: FOREIGN KEY (kind) REFERENCES kinds(code)",
    )
    gone(folder, home)


def test_the_schema_is_compared_again_in_an_environment_that_stays_and_tables_that_were_added_meanwhile_refuse_nothing(project):
    folder = project("small")
    _sql(folder, "create table jobs (id int primary key);\ncreate table results (id int primary key);\n")
    up = seeder("up", "small", "--scenario", "ready", "--runtime", "local", cwd=folder)
    try:
        proper(up, 0, "db: holds tables that its migrations did not make: jobs, results")
        proper(seeder("gate", cwd=folder), 0)
        seeder("sql", "db", "-c", "alter table notes drop column pinned", cwd=folder)
        proper(seeder("gate", cwd=folder), 4, "db.notes.pinned: the schema is not as the migrations left it: the column (boolean) is gone")
        (folder / "migrations" / "0003_unpinned.sql").write_text("alter table notes drop column pinned;\n")
        again = seeder("gate", cwd=folder)
        proper(again, 4, "0003_unpinned is not applied")
        assert "as the migrations left it" not in again.err
    finally:
        seeder("down", cwd=folder)
