"""Whatever is done to a database, it comes back as it was marked: its digest, and all that the digest does not see.

Databases of three kinds are worked on at random, by clients that commit, roll back, go away in the middle, prepare and forget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import note
from hypothesis import strategies as st

from seeder.definition.dataset import Part
from seeder.engines import _postgres_local, _postgres_query
from seeder.engines._postgres_connection import connect
from seeder.machine import process
from seeder.registry import LOADERS
from tests.contract.engine_contract import load
from tests.contract.rewind_examples import rounds, seeing, tell
from tests.contract.serving import NOON, Server, serving
from tests.contract.test_postgres import SCHEMA, tables

DATA = Path(__file__).parent.parent / "data"
FILES = Path(__file__).parent / "rewind"
COMPOSE = """
services:
  db:
    image: postgres:17
    command: ["postgres", "-c", "max_prepared_transactions=10"]
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}
"""
MORE = (FILES / "more.sql").read_text()
TABLES = (
    "select oid::regclass::text from pg_class where relkind in ('r', 'p') and relnamespace >= 2200 and relpersistence <> 't' order by oid"
)

# A statement per line; {t} is one of the tables, {n} a number. What the database refuses is not done.
ROWS, SCHEMAS = (FILES / "rows.sql").read_text().splitlines(), (FILES / "schemas.sql").read_text().splitlines()


@st.composite
def _done(draw: st.DrawFn, share: int) -> tuple[int, str, int]:
    """Who does it, the statement, and which table it falls on."""
    kind = ROWS if draw(st.integers(0, 9)) >= share else SCHEMAS
    return draw(st.integers(0, 2)), draw(st.sampled_from(kind)).replace("{n}", str(draw(st.integers(1, 30)))), draw(st.integers(0, 30))


@contextmanager
def refusals(clients: dict[Any, Any], who: Any, connected: Callable[[], Any]) -> Iterator[Any]:
    """A client to work with, the same again unless a rewind ended it. What is refused is not done; a connection that is lost is no
    refusal."""
    with suppress(psycopg.Error):
        if who in clients:
            clients[who].execute("select 1")  # one that was ended knows it from here on
    if who not in clients or clients[who].closed:
        clients[who] = connected()
        clients[who].execute("set lock_timeout = '200ms'; set statement_timeout = '5s'")
    try:
        yield clients[who]
    except psycopg.Error:
        if clients[who].closed:
            raise


class Marked:
    """A database that was marked once, and is worked on and brought back many times."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.target, self.folder = server, server.target(), folder
        self.rewinder = server.engine.rewinder(self.target, folder)
        self.rewinder.mark()
        self.clients: dict[int, Any] = {}
        self.digest, self.rest = self.state()

    def state(self) -> tuple[Any, dict[str, Any]]:
        """The digest, and what it does not see: the schema as pg_dump writes it, roles, settings, large objects, views."""
        program = str(_postgres_local.folder(18) / "bin/pg_dump")
        done = process.run([program, "--schema-only"], timeout=60, environment=_postgres_query.client(self.target)[1])
        assert done.code == 0, done.output
        with closing(connect(self.target)) as connection:
            asked = {
                "roles": "select to_jsonb(r) from pg_authid r order by oid",
                "members": "select roleid, member, admin_option from pg_auth_members order by 1, 2",
                "settings": """select setdatabase <> 0, setrole, setconfig from pg_db_role_setting
                               where setdatabase in (0, (select oid from pg_database where datname = 'shop')) order by 1, 2""",
                "database": """select datdba, datacl::text, datconnlimit, datallowconn, datistemplate, shobj_description(oid, 'pg_database')
                               from pg_database where datname = 'shop'""",
                "prepared": "select gid from pg_prepared_xacts",
                "objects": "select oid::int8, lo_get(oid) from pg_largeobject_metadata order by oid",
                "view": "select * from counted",
                "privileges": "select proacl::text from pg_proc where proname = 'pg_sleep'",
            }
            found = {name: connection.execute(query).fetchall() for name, query in asked.items()}
        schema = re.sub(r"^\\(un)?restrict .*\n", "", done.output, flags=re.MULTILINE)
        return self.server.engine.digest(self.target, ()), {**found, "schema": schema}

    def work(self, who: int, statement: str, place: int) -> None:
        """One statement of a client, on one of the tables that are there; refused ones change nothing."""
        with refusals(self.clients, who, lambda: connect(self.target, autocommit=True)) as client:
            if "{t}" in statement:
                found = [name for (name,) in client.execute(TABLES).fetchall()]
                statement = statement.replace("{t}", found[place % len(found)])
            note(f"{who}: {statement}")
            client.execute(statement)

    def check(self) -> None:
        digest, rest = self.state()
        assert digest == self.digest
        assert rest == self.rest

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.rewinder.close()


def _folder(server: Server, name: str) -> None:
    for script in sorted((DATA / name / "schema").glob("*.sql")):
        server.engine.query(server.target(), script.read_text(encoding="utf-8"))
    files = sorted((DATA / name / "testdata/reference").glob("*/db/*.csv"))
    load(server.engine, server.target(), [LOADERS.get("table").read(Part("table", "db", file.stem, file, "csv"), NOON) for file in files])


@pytest.fixture(scope="module", params=["habits", "chinook", "northwind"])
def marked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    folder = tmp_path_factory.mktemp(request.param)
    with serving("local", COMPOSE, folder) as server:
        if request.param == "habits":
            server.engine.query(server.target(), SCHEMA)
            load(server.engine, server.target(), tables(folder))
        else:
            _folder(server, request.param)
        server.engine.query(server.target(), MORE)
        found = Marked(server, folder / "mark")
        yield found
        found.close()


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Iterator[set[str]]:
    """Ways that were taken: rows are given back in place, other things by a swap."""
    with seeing(request.param) as found:
        yield found


def _check_brought_back(marked: Marked, seen: set[str], done: list[tuple[int, str, int]], way: str) -> None:
    tell()
    for who, statement, place in done:
        marked.work(who, statement, place)
    found = marked.rewinder.rewind(way)
    note(str(found))
    seen.add(found.way)
    marked.check()


@pytest.mark.parametrize("seen", ["in place"], indirect=True)
@rounds(_done(0))
def test_rows_come_back_whatever_was_done(marked: Marked, seen: set[str], items: list[tuple[int, str, int]]) -> None:
    _check_brought_back(marked, seen, items, "in place")


@pytest.mark.parametrize("seen", ["swap"], indirect=True)
@rounds(_done(7), most=6)
def test_schemas_roles_and_settings_come_back_whatever_was_done(marked: Marked, seen: set[str], items: list[tuple[int, str, int]]) -> None:
    _check_brought_back(marked, seen, items, "in place")


@pytest.mark.parametrize("seen", ["swap"], indirect=True)
@rounds(_done(1), most=5)
def test_a_database_that_is_swapped_comes_back_whatever_was_done(marked: Marked, seen: set[str], items: list[tuple[int, str, int]]) -> None:
    _check_brought_back(marked, seen, items, "swap")


@pytest.mark.parametrize("seen", ["in place"], indirect=True)
@rounds(_done(1), most=6)
def test_another_process_takes_up_the_mark(marked: Marked, seen: set[str], items: list[tuple[int, str, int]]) -> None:
    marked.rewinder.close()
    marked.rewinder = marked.server.engine.rewinder(marked.target, marked.folder)
    _check_brought_back(marked, seen, items, "in place")
