"""Every migrator against a real PostgreSQL: what it applies, what it remembers, and what it says when a revision fails."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.protocols import Digests, Queries
from seeder.registry import MIGRATORS, volatile
from tests.fakes.world import LiveWorld, opened, read

COMPOSE = """
services:
  db:
    image: postgres:17
    environment: {{POSTGRES_USER: app, POSTGRES_PASSWORD: app, POSTGRES_DB: shop}}
    x-seeder: {{migrate: {migrate}}}
  app:
    image: python:3.13-slim
    environment: {{DATABASE_URL: "postgresql+psycopg://app:app@db:5432/shop"}}
    x-seeder: {{local: {{command: ["{{python}}", "one_shot.py"]}}}}
"""
ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
"""

Open = Callable[[str], LiveWorld]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two good Alembic revisions and a folder of two SQL files."""
    write(tmp_path / "app/alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n")
    write(tmp_path / "app/migrations/env.py", ENV)
    revision(tmp_path, "0001", None, "create table orders (id int primary key)")
    revision(tmp_path, "0002", "0001", "alter table orders add total numeric check (total > 0)")
    write(tmp_path / "schema/001-orders.sql", "-- Orders\ncreate table orders (id int primary key, note text);\n")
    write(tmp_path / "schema/002-rows.sql", "COPY orders (id, note) FROM stdin;\n1\tone\n2\t\\N\n\\.\n\ncreate index on orders (note);\n")
    return tmp_path


@pytest.fixture
def world(folder: Path) -> Iterator[Open]:
    """Opens the project with the given `migrate` and its database started."""
    with ExitStack() as stack:

        def open_with(migrate: str) -> LiveWorld:
            (folder / "compose.yaml").write_text(COMPOSE.format(migrate=migrate))
            return stack.enter_context(opened(read(folder / "compose.yaml"), "db"))

        yield open_with


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(content))


def revision(folder: Path, id_: str, down: str | None, sql: str) -> Path:
    path = folder / f"app/migrations/versions/{id_}_step.py"
    head = f'"""Step {id_}."""\nfrom alembic import op\nrevision = "{id_}"\ndown_revision = {down!r}\n\n\n'
    write(path, f'{head}def upgrade():\n    op.execute("""{sql}""")\n')
    return path


def migrate(world: LiveWorld) -> None:
    store = world.stack.stores["db"]
    assert store.migrate
    migrator = MIGRATORS.get(store.migrate.tool)
    migrator.migrate(store, migrator.revisions(store, world.stack), world)


def drift(world: LiveWorld) -> str | None:
    store = world.stack.stores["db"]
    assert store.migrate
    migrator = MIGRATORS.get(store.migrate.tool)
    return migrator.drift(store, migrator.revisions(store, world.stack), world)  # type: ignore[attr-defined, no-any-return]


def rows(world: LiveWorld, sql: str) -> list[tuple[object, ...]]:
    engine = world.engine("db")
    assert isinstance(engine, Queries)
    return engine.query(world.target("db"), sql)


def test_alembic_brings_a_store_to_its_head_as_the_service_that_uses_it(world: Open) -> None:
    live = world("{alembic: app/alembic.ini}")
    assert "the files end with 0002" in str(drift(live))
    migrate(live)
    assert drift(live) is None
    assert rows(live, "select version_num from alembic_version") == [("0002",)]
    migrate(live)
    assert rows(live, "select count(*) from orders") == [(0,)]


def test_a_failing_revision_is_named_with_its_file_the_message_and_the_statement(world: Open, folder: Path) -> None:
    path = revision(folder, "0003", "0002", "insert into orders (id, total)\nvalues (7, -1)")
    live = world("{alembic: app/alembic.ini}")
    with pytest.raises(EnvironmentFailed) as caught:
        migrate(live)
    message = str(caught.value)
    assert f'{path}:8: db: revision 0003: new row for relation "orders" violates check constraint "orders_total_check"' in message
    assert "Failing row contains (7, -1)" in message
    assert "statement: insert into orders (id, total) values (7, -1)" in message
    assert "Traceback" not in message + caught.value.log
    assert "Traceback" in live.deployment.logs("migrate-db")
    assert drift(live) == "the version table holds revision 0002, the files end with 0003"


def test_a_revision_with_a_mistake_of_its_own_is_named_with_its_line(world: Open, folder: Path) -> None:
    path = revision(folder, "0003", "0002", "select 1")
    path.write_text(path.read_text() + "    undefined.call()\n")
    with pytest.raises(EnvironmentFailed) as caught:
        migrate(world("{alembic: app/alembic.ini}"))
    assert f"{path}:9: db: revision 0003: NameError: name 'undefined' is not defined" in str(caught.value)
    assert "undefined.call()" in caught.value.log


def test_alembic_that_fails_before_any_revision_says_why(world: Open, folder: Path) -> None:
    write(folder / "app/migrations/env.py", 'import os\nos.environ["DATABSE_URL"]\n')
    with pytest.raises(EnvironmentFailed, match=r"db: alembic failed before any revision ran: KeyError: 'DATABSE_URL'"):
        migrate(world("{alembic: app/alembic.ini}"))


def test_alembic_that_migrates_another_database_is_found_out(world: Open, folder: Path) -> None:
    write(folder / "app/migrations/env.py", ENV.replace('os.environ["DATABASE_URL"]', '"sqlite://"'))
    live = world("{alembic: app/alembic.ini}")
    write(folder / "app/migrations/versions/0001_step.py", 'revision = "0001"\ndown_revision = None\ndef upgrade(): pass\n')
    write(folder / "app/migrations/versions/0002_step.py", 'revision = "0002"\ndown_revision = "0001"\ndef upgrade(): pass\n')
    with pytest.raises(EnvironmentFailed, match="alembic ended well, but the version table holds no revision"):
        migrate(live)


def test_an_interpreter_of_this_machine_runs_alembic(world: Open) -> None:
    live = world(f"{{alembic: app/alembic.ini, python: {sys.executable}}}")
    migrate(live)
    assert drift(live) is None


def test_whose_migrations_these_are_must_be_clear(world: Open, folder: Path) -> None:
    other = COMPOSE.replace("  app:", "  other: {{image: a, environment: {{URL: 'postgresql://db:5432/shop'}}}}\n  app:")
    (folder / "compose.yaml").write_text(other.format(migrate="{alembic: app/alembic.ini}"))
    stack = read(folder / "compose.yaml")
    with pytest.raises(DefinitionError, match="not clear: app, other all use it"):
        MIGRATORS.get("alembic").revisions(stack.stores["db"], stack)


def test_sql_files_apply_once_and_are_remembered(world: Open, folder: Path) -> None:
    live = world("{sql: schema}")
    assert drift(live) == "001-orders, 002-rows is not applied"
    migrate(live)
    migrate(live)
    assert drift(live) is None
    assert rows(live, "select id, note from orders order by id") == [(1, "one"), (2, None)]
    write(folder / "schema/003-more.sql", "insert into orders values (3, 'three');\n")
    migrate(live)
    assert rows(live, "select count(*) from orders") == [(3,)]
    assert rows(live, "select id from seeder_migrations order by id") == [("001-orders",), ("002-rows",), ("003-more",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda schema: (schema / "001-orders.sql").write_text("select 1;\n"), "001-orders.sql was changed after it was applied"),
        (lambda schema: (schema / "002-rows.sql").unlink(), "002-rows was applied, and its file is gone"),
        (lambda schema: (schema / "001-b.sql").write_text("select 1;\n"), "001-b.sql sorts before 001-orders, which was applied already"),
    ],
)
def test_what_was_applied_may_not_change(world: Open, folder: Path, change: Callable[[Path], object], message: str) -> None:
    live = world("{sql: schema}")
    migrate(live)
    change(folder / "schema")
    assert drift(live) == message
    with pytest.raises(EnvironmentFailed, match=message):
        migrate(live)


def test_of_a_failing_sql_file_nothing_stays(world: Open, folder: Path) -> None:
    write(folder / "schema/003-bad.sql", "create table halves (id int);\n\ninsert into orders values (1, 'again');\n")
    live = world("{sql: schema}")
    with pytest.raises(EnvironmentFailed) as caught:
        migrate(live)
    assert f"{folder / 'schema/003-bad.sql'}:3: db: revision 003-bad" in str(caught.value)
    assert "duplicate key value" in str(caught.value)
    assert rows(live, "select to_regclass('halves')") == [(None,)]
    assert drift(live) == "003-bad is not applied"


def test_a_program_of_this_machine_migrates_with_addresses_as_seen_from_here(world: Open, folder: Path) -> None:
    script = "import os, psycopg\nwith psycopg.connect(os.environ['SEEDER_DB_URL']) as c: c.execute(os.environ['STEP'])\n"
    write(folder / "tool.py", script)
    command = f"[{sys.executable}, tool.py]"
    live = world(f"{{command: {command}, inputs: [schema/, 'app/**/*.py'], environment: {{STEP: create table made (id int)}}}}")
    store = live.stack.stores["db"]
    found = MIGRATORS.get("command").revisions(store, live.stack)
    assert [r.id for r in found] == ["env.py", "0001_step.py", "0002_step.py", "001-orders.sql", "002-rows.sql"]
    migrate(live)
    assert rows(live, "select count(*) from made") == [(0,)]
    with pytest.raises(EnvironmentFailed, match=r"tool.py` ended with code 1") as caught:
        migrate(live)
    assert 'relation "made" already exists' in caught.value.log


# A program that keeps golang-migrate's rules, as far as one way up goes: what is missing is applied, and the table tells the last one.
UP = """
    import os, pathlib, psycopg
    files = {int(path.name.partition("_")[0]): path for path in pathlib.Path("up").glob("*.up.sql")}
    with psycopg.connect(os.environ["SEEDER_DB_URL"], autocommit=True) as connection:
        connection.execute("create table if not exists schema_migrations (version bigint not null primary key, dirty boolean not null)")
        held = connection.execute("select coalesce(max(version), 0) from schema_migrations").fetchone()[0]
        for number in sorted(number for number in files if number > held):
            connection.execute("truncate schema_migrations")
            connection.execute("insert into schema_migrations values (%s, true)", [number])
            connection.execute(files[number].read_text())
            connection.execute("update schema_migrations set dirty = false")
"""


@pytest.fixture
def up(folder: Path) -> str:
    """The `migrate` of a program with a preset, and its files."""
    write(folder / "up.py", UP)
    write(folder / "up/1_a.up.sql", "create table a (id int)")
    write(folder / "up/2_b.up.sql", "create table b (id int)")
    return f"{{command: [{sys.executable}, up.py], preset: golang-migrate, inputs: [up, up.py]}}"


def test_a_preset_sees_that_the_program_went_to_the_end_and_goes_on_from_there(world: Open, folder: Path, up: str) -> None:
    live = world(up)
    assert "no table like schema_migrations" in str(drift(live))
    migrate(live)
    assert drift(live) is None
    write(folder / "up/10_c.up.sql", "create table c (id int)")
    assert drift(live) == "schema_migrations holds 2, the files end with 10"
    write(folder / "up/1_a.up.sql", "create table never (id int)")
    migrate(live)
    assert rows(live, "select to_regclass('c')::text, to_regclass('never')::text") == [("c", None)]


def test_a_program_that_does_not_go_to_the_end_is_found_out(world: Open, folder: Path, up: str) -> None:
    live = world(up)
    write(folder / "up.py", UP.replace("number > held", "held < number < 2"))
    with pytest.raises(EnvironmentFailed, match="ended well, but schema_migrations holds 1, the files end with 2") as caught:
        migrate(live)
    assert "takes its address from the environment" in str(caught.value)
    write(folder / "up/2_b.up.sql", "create table a (id int)")
    write(folder / "up.py", UP)
    with pytest.raises(EnvironmentFailed, match="ended with code 1"):
        migrate(live)
    assert drift(live) == "2 failed on the way: schema_migrations is dirty"


# preset -> its files, its table as the tool makes it, and what it writes there when it applies the first file, and the second
TOLD = {
    "flyway": (
        {"V1__a.sql": "select 1;", "V1_2__b.sql": "select 1;"},
        """create table flyway_schema_history (installed_rank int primary key, version text, description text, type text, script text,
           checksum int, installed_by text, installed_on timestamp default now(), execution_time int, success boolean)""",
        "insert into flyway_schema_history values (1, '1', 'a', 'SQL', 'V1__a.sql', 7, 'app', now(), 12, true)",
        "insert into flyway_schema_history values (2, '1.2', 'b', 'SQL', 'V1_2__b.sql', 7, 'app', now(), 12, true)",
    ),
    "liquibase": (
        {
            "a.xml": '<databaseChangeLog><changeSet id="1" author="ann"/><include file="shop/b.sql"/></databaseChangeLog>',
            "b.sql": "--liquibase formatted sql\n--changeset bob:2\nselect 1;\n--changeset bob:3 dbms:h2\nselect 1;\n",
        },
        """create table databasechangelog (id text, author text, filename text, dateexecuted timestamp, orderexecuted int, exectype text,
           md5sum text, deployment_id text)""",
        "insert into databasechangelog values ('1', 'ann', 'shop/a.xml', now(), 1, 'EXECUTED', '9:a', now()::text)",
        "insert into databasechangelog values ('2', 'bob', 'shop/b.sql', now(), 2, 'EXECUTED', '9:b', now()::text)",
    ),
    "knex": (
        {"1_a.js": "", "2_b.js": ""},
        "create table knex_migrations (id serial primary key, name text, batch int, migration_time timestamptz default clock_timestamp())",
        "insert into knex_migrations (name, batch) values ('1_a.js', extract(microseconds from now()))",
        "insert into knex_migrations (name, batch) values ('2_b.js', extract(microseconds from now()))",
    ),
    "django": (
        {"migrations/0001_a.py": "class Migration: pass", "migrations/0002_b.py": "class Migration: dependencies = [('shop', '0001_a')]"},
        """create table django_migrations (id int generated by default as identity, app text, name text, applied timestamptz);
           insert into django_migrations (app, name, applied) values ('auth', '0001_initial', now())""",
        "insert into django_migrations (app, name, applied) values ('shop', '0001_a', now())",
        "insert into django_migrations (app, name, applied) values ('shop', '0002_b', now())",
    ),
}


@pytest.mark.parametrize("preset", TOLD)
def test_a_preset_reads_the_list_of_its_tool_and_digests_leave_out_what_the_clock_wrote(world: Open, folder: Path, preset: str) -> None:
    files, table, first, second = TOLD[preset]
    for name, text in files.items():
        write(folder / f"shop/{name}", text)
    live = world(f"{{command: [./migrate], preset: {preset}, inputs: [shop]}}")
    store, engine, made = live.stack.stores["db"], live.engine("db"), table.split()[2]
    assert isinstance(engine, Digests)
    last = MIGRATORS.get(preset).revisions(store, live.stack)[1].id
    assert drift(live) == f"there is no table like {made}, in which {preset} lists what it applied"
    digests = set()
    for _ in range(2):
        execute(live, f"drop table if exists {made}; {table}")
        execute(live, first)
        assert f"{last} is not applied" in str(drift(live))
        execute(live, second)
        assert drift(live) is None
        digests.add(engine.digest(live.target("db"), volatile(store)).digest)
    assert len(digests) == 1
    execute(live, second.replace("b.", "c.").replace("_b", "_c").replace("(2,", "(3,").replace("1.2", "1.3"))
    assert "was applied, and its file is gone" in str(drift(live))


def execute(live: LiveWorld, statements: str) -> None:
    engine = live.engine("db")
    assert isinstance(engine, Queries)
    engine.answers(live.target("db"), statements)


def test_a_program_runs_as_the_service_that_is_named(world: Open, folder: Path) -> None:
    write(folder / "tool.py", "import os, pathlib\npathlib.Path('told').write_text(os.environ['DATABASE_URL'])\n")
    live = world("{command: [python, tool.py], as: app}")
    migrate(live)
    assert (folder / "told").read_text() == live.target("db").url().replace("postgresql:", "postgresql+psycopg:")


def test_a_one_shot_service_migrates(world: Open, folder: Path) -> None:
    url = "os.environ['DATABASE_URL'].replace('+psycopg', '')"
    connect = f"import os, psycopg\nwith psycopg.connect({url}) as c: c.execute('create table made (id int)')\n"
    write(folder / "one_shot.py", connect)
    live = world("{service: app, inputs: [one_shot.py]}")
    migrate(live)
    assert rows(live, "select count(*) from made") == [(0,)]


@pytest.mark.parametrize("how", ["command: [{python}, one_shot.py]", "service: app"])
def test_a_migration_that_takes_too_long_says_how_to_give_it_longer(world: Open, folder: Path, how: str) -> None:
    write(folder / "one_shot.py", "import time\nprint('slowly', flush=True)\ntime.sleep(60)\n")
    with pytest.raises(EnvironmentFailed, match=r"(within|after) 1 s(.|\n)*migrate: \{within: \.\.\.\}"):
        migrate(world(f"{{{how.replace('{python}', sys.executable)}, within: 1s}}"))


def test_a_one_shot_service_that_fails_is_named_with_its_store_and_log(world: Open, folder: Path) -> None:
    write(folder / "one_shot.py", "raise SystemExit('no luck today')\n")
    with pytest.raises(EnvironmentFailed, match="db: app: it ended with code 1") as caught:
        migrate(world("{service: app}"))
    assert "no luck today" in caught.value.log


@pytest.mark.parametrize(
    ("migrate_", "message"),
    [
        ("{sql: schmea}", "there is no folder"),
        ("{sql: app}", "holds no .sql file"),
        ("{alembic: app/alembic.toml}", "there is no file"),
        ("{alembic: app/alembic.ini, as: ap}", "did you mean 'app'"),
        ("{command: [x], as: ap}", "did you mean 'app'"),
        ("{command: [x], inputs: [nothing/*]}", "no file matches nothing/"),
        ("{service: ap}", "did you mean 'app'"),
    ],
)
def test_what_is_missing_is_found_before_anything_starts(folder: Path, migrate_: str, message: str) -> None:
    (folder / "compose.yaml").write_text(COMPOSE.format(migrate=migrate_))
    stack = read(folder / "compose.yaml")
    store = stack.stores["db"]
    assert store.migrate
    with pytest.raises(DefinitionError, match=message):
        MIGRATORS.get(store.migrate.tool).revisions(store, stack)
