"""When something goes wrong: the documented code, what it was and what mends it, evidence kept, nothing left."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from textwrap import dedent

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import WORDS, change, evidence, gone, mounted, proper, result, run, web
from tests.scenarios.seeder import events, started, until

pytestmark = pytest.mark.usefixtures("cached")

DIES = """import sys
print("settings: no such currency: XXX", file=sys.stderr)
sys.exit(3)
"""
DUMB = """import time
print("thinking", flush=True)
time.sleep(600)
"""


def test_a_service_that_exits_at_start_is_told_at_once_with_its_last_lines(project, home, runtime):
    folder = project("small")
    web(folder, DIES)
    proper(run(folder, runtime), 123, "web: ", "ed with code 3", "    | settings: no such currency: XXX", "-> see what it says")
    assert "no such currency" in (evidence(folder) / "logs" / "web.log").read_text()
    assert result(folder)["ended_by"] == "environment"
    gone(folder, home)


@pytest.mark.one_runtime
def test_a_service_that_exits_before_it_listens_is_told_as_well(project, home, runtime):
    folder = project("small")
    web(folder, f"import time\ntime.sleep(1)\n{DIES}")
    change(folder, "compose.yaml", "      ready: {http: /health}\n", "")
    proper(run(folder, runtime), 123, "web: it ended with code 3", "    | settings: no such currency: XXX", "-> see what it says")
    gone(folder, home)


def test_a_service_that_listens_elsewhere_is_told_with_its_port(project, home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    folder = project("small")
    web(folder, f"import http.server\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')\n")
    change(folder, "compose.yaml", ', "{host}", "{port}"]', "]")
    change(folder, "compose.yaml", "{http: /health}", "{http: /health, within: 2s}")
    said = run(folder, "local")
    proper(said, 123, "web: not ready after 2 s", f"listens on port {port}", "-> tell it its port", 'environment: {PORT: "{port}"}')
    gone(folder, home)


def test_a_service_that_never_becomes_ready_is_given_up_at_its_limit(project, home, runtime):
    folder = project("small")
    web(folder, DUMB)
    change(folder, "compose.yaml", "{http: /health}", "{http: /health, within: 1s}")
    said = run(folder, runtime)
    proper(
        said, 123, "web: not ready after 1 s", "the limit of 1 s is `x-seeder.ready.within`", "    | thinking", "logs/web.log", "evidence: "
    )
    assert (evidence(folder) / "logs" / "web.log").read_text().strip() == "thinking"
    gone(folder, home)


def test_a_password_that_compose_leaves_empty_is_told_at_once(project, home):
    folder = project("small")
    change(folder, "compose.yaml", "POSTGRES_PASSWORD: correct-horse-battery", 'POSTGRES_PASSWORD: "${PW}"')
    proper(run(folder, "local"), 123, "db: it asks for a password, and the stack gives none: POSTGRES_PASSWORD is empty or unset")
    assert result(folder)["seconds"] < 30
    gone(folder, home)


def test_a_failing_service_does_not_wait_for_another_that_hangs(project, home):
    folder = project("small")
    web(folder, DIES)
    slow = 'local: {command: ["{python}", "-c", "import time; time.sleep(600)"]}'
    more = f"  slow:\n    <<: *web\n    x-seeder: {{{slow}, ready: {{http: /}}}}\nvolumes:"
    change(folder, "compose.yaml", "  web:\n", "  web: &web\n")
    change(folder, "compose.yaml", "volumes:\n  db-data", f"{more}\n  db-data")
    proper(run(folder, "local"), 123, "web: it ended with code 3")
    assert result(folder)["seconds"] < 60
    gone(folder, home)


@pytest.mark.docker
def test_an_image_that_cannot_be_had_is_named_with_its_service(project, home):
    folder = project("small")
    change(folder, "compose.yaml", "image: redis:8", "image: redis:8.99-none")
    said = run(folder, "docker")
    proper(said, 123, "cache: image redis:8.99-none cannot be pulled", "--image cache=NAME:TAG")
    told = said.err.partition("cannot be pulled: ")[2].splitlines()[0]
    assert said.err.count(told) == 1
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["docker"]])
def test_a_published_port_that_another_program_has_is_no_matter(project, runtime):
    with socket.create_server(("127.0.0.1", 0)) as other:
        folder = project("small")
        change(folder, "compose.yaml", "18080:8000", f"{other.getsockname()[1]}:8000")
        proper(run(folder, runtime), 0)


def test_who_took_a_reserved_port_is_named(project, home):
    """Another program may take a number between its choice and the start of the server that it is for."""
    folder = project("small")
    with started(*WORDS, "local", "--", "true", cwd=folder) as child:
        until("ports", lambda: child.poll() is not None or _reserved(folder, home))
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", _reserved(folder, home)[-1]))  # the service's: it starts last
            thief.listen()
            child.wait(120)
    said = (folder / "seeder.log").read_text()
    assert child.returncode == 123, said
    assert "is taken by pid" in said
    assert "web: " in said
    evidence(folder)
    gone(folder, home)


def _reserved(folder, home):
    table = home / "cache" / "ports.json"
    known = json.loads(table.read_text()) if table.exists() else {}
    runs = [path.name for path in folder.glob(".seeder/runs/*")]
    return sorted(int(port) for port, (name, *_) in known.items() if name in runs)


@pytest.mark.one_runtime
def test_a_failing_sql_revision_is_named_with_its_line_statement_and_the_databases_words(project, home, runtime):
    folder = project("small")
    broken = "create table tags (id int primary key);\n\nalter table\n  nots add column tag int;\n"
    (folder / "migrations" / "0003_tags.sql").write_text(broken)
    said = run(folder, runtime)
    proper(said, 123, "0003_tags.sql:3: db: revision 0003_tags", 'relation "nots" does not exist', "`alter table nots add column tag int`")
    assert "correct 0003_tags.sql" in said.err
    assert (evidence(folder) / "stores" / "db").is_dir()
    gone(folder, home)


ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
"""
REVISION = """
    from alembic import op
    revision = "{id}"
    down_revision = {down!r}

    def upgrade():
        op.execute("{sql}")
"""


def _alembic(folder, *statements):
    """The small project's database is migrated by Alembic, run by this interpreter."""
    change(folder, "compose.yaml", "{sql: migrations}", f"{{alembic: alembic.ini, python: {sys.executable}}}")
    change(folder, "manifest.yaml", 'db: "0002.."', 'db: "1.."')
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/history\npath_separator = os\n")
    (folder / "history" / "versions").mkdir(parents=True)
    (folder / "history" / "env.py").write_text(dedent(ENV))
    for place, sql in enumerate(statements, 1):
        text = dedent(REVISION).format(id=place, down=str(place - 1) if place > 1 else None, sql=sql)
        (folder / "history" / "versions" / f"{place}_step.py").write_text(text)


def test_a_failing_alembic_revision_is_named_with_its_file_statement_and_the_databases_words(project, home, runtime):
    folder = project("small")
    _alembic(folder, "create table kinds (code text)", "alter table nots add x int")
    said = run(folder, runtime)
    proper(said, 123, "2_step.py:7: db: revision 2", 'relation "nots" does not exist', "statement: alter table nots add x int")
    assert "migrate-db" in {path.stem for path in (evidence(folder) / "logs").iterdir()}
    gone(folder, home)


@product("tool, runtime", ["sql", "alembic"], RUNTIMES, some=[("sql", "local")])
def test_a_migration_that_hangs_is_ended_by_the_time_limit(project, home, runtime, tool):
    folder = project("small")
    if tool == "alembic":
        _alembic(folder, "create table kinds (code text)", "lock table kinds; select pg_sleep(600)")
    else:
        (folder / "migrations" / "0003_wait.sql").write_text("lock table notes;\nselect pg_sleep(600);\n")
    limit = "20" if runtime == "docker" else "10"
    said = run(folder, runtime, options=("--timeout", f"{limit}s"))
    proper(said, 124, f"run: did not end within {limit} s; under way: migrate: db migrating", "raise --timeout")
    assert any(event.get("state") == "migrating" for event in events(folder))
    assert result(folder)["seconds"] < 60
    evidence(folder)
    gone(folder, home)


@pytest.mark.parametrize("size", ["1m", "24m"])
def test_a_full_disk_below_seeders_home_is_told(project, tmp_path, size):
    folder, small = project("small"), tmp_path / "full"
    small.mkdir()
    with mounted(small, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        said = run(folder, "local", SEEDER_HOME=str(small))
        proper(said, 123, "->")
        assert "space" in said.err.lower()
        gone(folder, small)


def test_a_full_disk_below_the_project_hides_neither_the_failure_nor_the_end(project, tmp_path, home):
    small = tmp_path / "full"
    small.mkdir()
    with mounted(small, "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        folder = project("small").rename(tmp_path / "aside")
        (small / "p").mkdir()
        for name in ("manifest.yaml", "compose.yaml", "migrations", "testdata", "web"):
            (small / "p" / name).symlink_to(folder / name)
        (small / "filler").write_bytes(b"x" * 180_000)
        said = run(small / "p", "local", "sh", "-c", "echo said; dd if=/dev/zero of=../more bs=1k count=500 2>/dev/null; exit 7")
        assert said.out == "said\n"
        proper(said, 7, "evidence: could not be kept", "no space left on device")
        gone(small / "p", home)


def test_a_read_only_checkout_is_told_before_anything_starts(project, home):
    folder = project("small")
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        proper(run(folder, "local"), 123, ".seeder: read-only file system", "let this user write there")
    assert not (folder / ".seeder").exists()


def test_a_home_that_cannot_be_written_is_told(project, tmp_path):
    folder = project("small")
    (tmp_path / "file").write_text("")
    proper(run(folder, "local", SEEDER_HOME=str(tmp_path / "file" / "home")), 123, "not a directory", "SEEDER_HOME")
    assert not (folder / ".seeder").exists()
