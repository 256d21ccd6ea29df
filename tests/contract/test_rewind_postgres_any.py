"""Whatever is done to a database, it comes back as it was marked: its digest, and all that the digest does not see.

Databases of three kinds are worked on at random, by clients that commit, roll back, go away in the middle, prepare and forget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import note
from hypothesis import strategies as st

from seeder import process
from seeder.definition.dataset import Part
from seeder.engines import _postgres_local, _postgres_query
from seeder.engines._postgres_connection import connect
from seeder.registry import LOADERS
from seeder.target import Target
from tests.contract.engine_contract import load
from tests.contract.rewind_examples import SEED, rounds
from tests.contract.serving import NOON, Server, serving
from tests.contract.test_postgres import SCHEMA, tables

DATA = Path(__file__).parent.parent / "data"
COMPOSE = """
services:
  db:
    image: postgres:17
    command: ["postgres", "-c", "max_prepared_transactions=10"]
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}
"""
MORE = """
    create table plain (word text, number int); insert into plain select 'w' || n, n from generate_series(1, 50) n;
    create unlogged table quick (id serial primary key, note text); insert into quick (note) values ('a'), ('b');
    create table parents (id int); create table children (more int) inherits (parents);
    insert into parents values (1); insert into children values (2, 3);
    select lo_from_bytea(4711, 'large'); create sequence apart start 5 increment -2 minvalue -100 maxvalue 5;
    create function touched() returns trigger language plpgsql as 'begin insert into plain values (tg_op, 0); return null; end';
    create trigger touch after insert or update or delete on quick for each statement execute function touched();
    create materialized view counted as select count(*) from plain;
    create role auditor; grant select on plain to auditor; alter database shop set work_mem = '5MB'; alter role app set random_page_cost = 2;
    comment on database shop is 'marked'; grant connect on database shop to auditor
"""
TABLES = "select oid::regclass::text from pg_class where relkind in ('r', 'p') and relnamespace >= 2200 and relpersistence <> 't' order by oid"

# {t} is one of the tables, {n} a number. What the database refuses is not done.
ROWS = [
    "delete from {t} where ctid in (select ctid from {t} limit {n})", "delete from {t}", "truncate {t} cascade",
    "truncate {t} restart identity cascade", "insert into {t} select * from {t} limit {n}", "create temporary table scratch as select * from {t}",
    "with gone as (delete from {t} where ctid in (select ctid from {t} limit {n}) returning *) insert into {t} select * from gone",
    "set session_replication_role = replica", "set session_replication_role = origin", "savepoint s", "rollback to s", "release s",
    "begin isolation level repeatable read", "begin", "commit", "rollback", "prepare transaction 'left {n}'", "commit prepared 'left {n}'",
    "select nextval(oid::regclass) from pg_class where relkind = 'S'", "select setval(oid::regclass, {n}, {n} % 2 = 0) from pg_class where relkind = 'S'",
    "insert into plain values ('new', {n})", "update plain set number = number + {n} where number < {n} * 3", "update plain set word = word",
    "insert into quick (note) values (repeat('long ', {n} * 400))", "update quick set id = id + {n}", "delete from quick where id > {n}",
    "update orders set total = total + 1", "insert into categories (name) values ('c{n}')", "insert into measurements values ('2025-02-01'::date + {n}, 1)",
    "update measurements set at = at + interval '1 year'", "update track set unit_price = unit_price + 1 where track_id % 7 = {n} % 7",
    "delete from order_details where order_id % 5 = {n} % 5", "select lo_unlink(4711)", "select lo_put(4711, {n}, 'other')", "select lo_create({n})",
    "refresh materialized view counted", "vacuum {t}", "vacuum full {t}", "analyze", "reindex table {t}", "vacuum freeze {t}",
]  # fmt: skip
SCHEMAS = [
    "create table made_{n} (id serial primary key, t text)", "drop table {t} cascade", "alter table {t} add column extra_{n} int default {n}",
    "alter table {t} rename to renamed_{n}", "create index on {t} ((1))", "alter table {t} set unlogged", "alter table {t} disable trigger all",
    "alter table {t} owner to auditor", "grant update on {t} to public", "revoke all on {t} from app", "create schema s_{n}", "drop schema audit cascade",
    "alter sequence apart increment 3", "drop sequence apart", "create view v_{n} as select * from {t}", "create type kind_{n} as enum ('a')",
    "create function f_{n}() returns int language sql return {n}", "comment on table {t} is 'changed {n}'", "comment on schema public is 'mine'",
    "alter table {t} enable row level security", "create role r_{n}", "create role r_{n} login in role auditor", "drop role r_{n}",
    "alter role auditor createdb password 'x{n}'", "alter role app set search_path = audit, public", "alter role app reset all",
    "alter database shop set datestyle = 'SQL, DMY'", "alter database shop reset all", "alter database shop connection limit {n}",
    "revoke connect on database shop from public", "grant create on database shop to auditor", "comment on database shop is 'other'",
    "grant auditor to app", "revoke execute on function pg_sleep from public", "alter table plain replica identity full", "cluster verbose",
    "alter default privileges grant select on tables to auditor", "create publication p_{n} for all tables", "alter type mood add value 'm{n}'",
    "alter table {t} set (autovacuum_enabled = off)", "refresh materialized view counted with no data", "alter table quick enable always trigger touch",
]  # fmt: skip


@st.composite
def _done(draw: st.DrawFn, share: int) -> tuple[int, str, int]:
    """Who does it, the statement, and which table it falls on."""
    kind = ROWS if draw(st.integers(0, 9)) >= share else SCHEMAS
    return draw(st.integers(0, 2)), draw(st.sampled_from(kind)).replace("{n}", str(draw(st.integers(1, 30)))), draw(st.integers(0, 30))


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
                "settings": "select setdatabase <> 0, setrole, setconfig from pg_db_role_setting order by 1, 2",
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
        with suppress(psycopg.Error):
            if who not in self.clients or self.clients[who].closed:
                self.clients[who] = connect(self.target, autocommit=True)
                self.clients[who].execute("set lock_timeout = '200ms'")
            client = self.clients[who]
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
    print(f"SEEDER_TEST_SEED={SEED}")
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


def _brought_back(marked: Marked, done: list[tuple[int, str, int]], way: str) -> None:
    for who, statement, place in done:
        marked.work(who, statement, place)
    note(str(marked.rewinder.rewind(way)))
    marked.check()


@rounds(_done(0))
def test_rows_come_back_whatever_was_done(marked: Marked, items: list[tuple[int, str, int]]) -> None:
    _brought_back(marked, items, "in place")


@rounds(_done(3))
def test_schemas_roles_and_settings_come_back_whatever_was_done(marked: Marked, items: list[tuple[int, str, int]]) -> None:
    _brought_back(marked, items, "in place")


@rounds(_done(1), most=5)
def test_a_database_that_is_swapped_comes_back_whatever_was_done(marked: Marked, items: list[tuple[int, str, int]]) -> None:
    _brought_back(marked, items, "swap")


@rounds(_done(1), most=6)
def test_another_process_takes_up_the_mark(marked: Marked, items: list[tuple[int, str, int]]) -> None:
    marked.rewinder.close()
    marked.rewinder = marked.server.engine.rewinder(marked.target, marked.folder)
    _brought_back(marked, items, "in place")
