"""Every migrator against a real PostgreSQL: what it applies, what it remembers, and what it says when a revision fails."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.protocols import Queries
from seeder.registry import MIGRATORS
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


def test_a_program_runs_as_the_service_that_is_named(world: Open, folder: Path) -> None:
    write(folder / "tool.py", "import os\nassert '@db:' not in os.environ['DATABASE_URL'], os.environ['DATABASE_URL']\n")
    migrate(world("{command: [python, tool.py], as: app}"))


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
