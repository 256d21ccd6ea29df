"""SQL files, queries, and what the gates ask, against a real PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder.definition.dataset import Part
from seeder.engines._postgres_connection import connect
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.content import ColumnInfo, Row, Table
from tests.contract.engine_contract import NOBODY, load, read
from tests.contract.serving import Server, serving

COMPOSE = "services: {db: {image: 'postgres:17', environment: {POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}}}"

DUMP = """\
--
-- PostgreSQL database dump
--
\\restrict 3xXyZ
SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
\\connect shop
CREATE FUNCTION public.twice(n integer) RETURNS integer LANGUAGE plpgsql AS $_$
begin
    -- a comment with ; and '
    return n * 2;
end $_$;
CREATE FUNCTION public.thrice(n integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 3 END; END;
CREATE TABLE public.parents (id integer PRIMARY KEY, note text);
CREATE TABLE public.children (id serial PRIMARY KEY, parent integer);
COPY public.children (id, parent) FROM stdin;
1\t7
2\t\\N
\\.
COPY public.parents (id, note) FROM stdin WITH (FORMAT csv);
7,"two
lines; one semicolon"
\\.
ALTER TABLE ONLY public.children ADD CONSTRAINT children_parent FOREIGN KEY (parent) REFERENCES public.parents(id);
INSERT INTO public.children VALUES (5, public.twice(3) + 1);
\\unrestrict 3xXyZ
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("local", COMPOSE, tmp_path_factory.mktemp("scripts")) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.empty()
    return running


def script(server: Server, folder: Path, text: str, *more: str) -> dict[str, int]:
    return load(server.engine, server.target(), [read(folder, f"{place:03d}.sql", one) for place, one in enumerate((text, *more), 1)])


def refused(server: Server, folder: Path, text: str) -> str:
    with pytest.raises(DefinitionError) as error:
        script(server, folder, text)
    return str(error.value)


def test_the_output_of_pg_dump_is_loaded(server: Server, tmp_path: Path) -> None:
    assert script(server, tmp_path, DUMP, "create table later (id int); insert into later values (1), (2)") == {"001.sql": 4, "002.sql": 2}
    assert server.engine.query(server.target(), "select id, parent from children order by id") == [(1, 7), (2, None), (5, 7)]
    assert server.engine.query(server.target(), "select note, thrice(2) from parents") == [("two\nlines; one semicolon", 6)]
    assert server.engine.query(server.target(), "insert into children default values returning id") == [(6,)]


def test_a_whole_dump_of_a_real_database_is_loaded(server: Server, tmp_path: Path) -> None:
    """Saved by the real pg_dump, rows included, with its own words around them."""
    script(
        server,
        tmp_path,
        (Path(__file__).parent / "postgres_schema.sql").read_text(),
        "insert into categories (name) values ('a;b'), (E'c\\\\')",
    )
    before = server.engine.digest(server.target(), ())
    _, variables = server.engine.client(server.target())
    dump = subprocess.run([_pg_dump(), "--no-owner"], env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout
    server.empty()
    script(server, tmp_path, dump)
    assert server.engine.digest(server.target(), ()) == before


def _pg_dump() -> str:
    from seeder.engines._postgres_local import programs

    binaries = programs()
    assert binaries
    return str(binaries / "pg_dump")


def test_tables_come_before_scripts_and_in_one_transaction(server: Server, tmp_path: Path) -> None:
    script(server, tmp_path, "create table a (id int primary key)")
    records = [read(tmp_path, "010-more.sql", "insert into a select id + 10 from a"), read(tmp_path, "a.csv", "id\n1\n2\n")]
    assert load(server.engine, server.target(), records) == {"a": 2, "010-more.sql": 2}
    with pytest.raises(DefinitionError):
        load(
            server.engine, server.target(), [read(tmp_path, "a.csv", "id\n3\n"), read(tmp_path, "020-bad.sql", "insert into b values (1)")]
        )
    assert server.engine.counts(server.target(), ["a"]) == {"a": 4}


def test_begin_and_commit_in_a_file_end_nothing(server: Server, tmp_path: Path) -> None:
    refused(server, tmp_path, "begin; create table a (id int); commit;\nstart transaction; select 1/0; end;")
    assert server.engine.tables(server.target()) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("create table a (a int);\n\n-- why\ninsert into a\nvalues ('x');\n", ["001.sql:5:", "`insert into a values ('x')`"]),
        ("create table a (id int);\nCOPY a (id) FROM stdin;\n1\n2\nthree\n\\.\n", ["001.sql:5:", "invalid", "`COPY a (id) FROM stdin`"]),
        ("create table a (id int);\nCOPY a FROM stdin;\n1\n", ["001.sql:2:", "no end"]),
        ("select 1;\n\\i other.sql\n", ["001.sql:2:", "\\i is not supported", "psql's commands are not SQL"]),
        ("select 1\n\\gexec\n", ["001.sql:2:", "\\gexec inside a statement"]),
        ("\\c other\n", ["001.sql:1:", "\\c is not supported", "the file is for the database shop"]),
        ("select 'a;\n", ["001.sql:1:", "the text that begins here has no end"]),
        ("select 1;\nrollback;\n", ["001.sql:2:", "a file runs in one transaction"]),
        ("create database x;\n", ["001.sql:1:", "cannot run inside a transaction block", "leave out the statement"]),
        ("create table a (b int);\ncreate index concurrently on a (b);\n", ["001.sql:2:", "CONCURRENTLY", "one transaction"]),
        ("create extension if not exists pgcrypto", ["001.sql:1:", "take an image that has it and --runtime docker", "plpgsql and vector"]),
        ("select * from nowhere", ["001.sql:1:", 'relation "nowhere" does not exist', "`select * from nowhere`"]),
        ("do $$ begin raise exception 'own words'; end $$", ["001.sql:1:", "own words"]),
    ],
)  # fmt: skip
def test_a_failing_statement_is_named(server: Server, tmp_path: Path, text: str, told: list[str]) -> None:
    message = refused(server, tmp_path, text)
    assert [words for words in told if words not in message] == []
    assert server.engine.tables(server.target()) == {}


def test_foreign_keys_that_a_script_switched_off_are_looked_at_after_it(server: Server, tmp_path: Path) -> None:
    script(server, tmp_path, "create table a (id int primary key); create table b (a int references a)")
    off = "alter table b disable trigger all; insert into b values ({}); alter table b enable trigger all;"
    assert "b_a_fkey" in refused(server, tmp_path, off.format(1))
    assert "b_a_fkey" in refused(
        server, tmp_path, f"set session_replication_role = replica; insert into b values (1); {off.format('null')}"
    )
    assert script(server, tmp_path, f"insert into a values (1); {off.format(1)}") == {"001.sql": 2}


def test_settings_of_a_script_end_with_it(server: Server, tmp_path: Path) -> None:
    setting = "create schema other; create table a (id int); set search_path = other; set timezone = 'Asia/Tokyo'; set role pg_monitor;"
    after = "insert into a values (1); create table zone as select current_setting('timezone') as zone, current_user::text as who"
    script(server, tmp_path, setting, after)
    assert server.engine.query(server.target(), "select zone, who from zone") == [("UTC", "postgres")]


def test_parameters_are_bound_by_name(server: Server) -> None:
    statement = """select :a::int + 1, ':a', $$:a$$, "x:a" /* :a */, 7 % 4, '%s' from (select 5 as "x:a") t where :b = 'it''s' -- :a"""
    assert server.engine.query(server.target(), statement, {"a": "41", "b": "it's"}) == [(42, ":a", ":a", 5, 3, "%s")]
    assert server.engine.query(server.target(), "select (array[1,2,3])[1:2], '12:30'::time::text") == [([1, 2], "12:30:00")]
    with pytest.raises(EnvironmentFailed, match=r"syntax error at or near \":\" in `select :missing`"):
        server.engine.query(server.target(), "select :missing", {"other": 1})
    assert server.engine.query(server.target(), "create table a ()") == []


def test_the_gates_questions(server: Server, tmp_path: Path) -> None:
    script(server, tmp_path, 'create schema s; create table s."T" (k int, l text, v text default 1, w int not null, primary key (k, l));'
           """insert into s."T" values (2, 'b', 'x', 1), (1, 'a', null, 1), (3, 'c', 'x', 1), (4, 'd', 'Y', 1)""")  # fmt: skip
    target = server.target()
    assert server.engine.tables(target)["s.T"].columns[2:] == (
        ColumnInfo("v", "text", True, True),
        ColumnInfo("w", "integer", False, False),
    )
    assert server.engine.tables(target)["s.T"].key == ("k", "l")
    assert server.engine.counts(target, ["s.T"]) == {"s.T": 4}
    assert server.engine.missing(target, "s.T", "v") == [(1, "a", None)]
    assert list(server.engine.values(target, "s.T", "v")) == [("Y", (4, "d")), ("x", (2, "b"))]
    with pytest.raises(EnvironmentFailed, match=r"did you mean 's\.T'"):
        server.engine.counts(target, ["s.t"])


def test_a_store_has_settled_when_its_query_says_true(server: Server, tmp_path: Path) -> None:
    script(server, tmp_path, "create table outbox (published boolean); insert into outbox values (false)")
    store = replace(server.stack.stores["db"], settled="select not exists (select from outbox where not published)")
    assert server.engine.settled(server.target(), store).reason.endswith("answers False")
    server.engine.query(server.target(), "update outbox set published = true")
    assert server.engine.settled(server.target(), store).state == "ready"
    assert server.engine.settled(server.target(), replace(store, settled=None)).state == "ready"


def test_volatile_columns_and_their_sequences_do_not_count(server: Server, tmp_path: Path) -> None:
    script(
        server,
        tmp_path,
        "create table a (id serial primary key, at timestamptz default clock_timestamp(), v int); insert into a (v) values (1)",
    )
    volatile = ["a.at", "a.id", "later.at"]
    before = server.engine.digest(server.target(), volatile)
    assert sorted(before.parts) == ["a"]
    server.engine.query(server.target(), "delete from a; insert into a (v) values (1)")
    assert server.engine.digest(server.target(), volatile) == before
    with pytest.raises(DefinitionError, match=r"volatile a.att: a has no column att\n.*did you mean 'at'"):
        server.engine.digest(server.target(), ["a.att"])


def test_the_order_of_rows_and_columns_does_not_count(server: Server, tmp_path: Path) -> None:
    script(server, tmp_path, "create table a (x int, y text); insert into a values (1, 'ä'), (2, 'z'), (null, '')")
    before = server.engine.digest(server.target(), ())
    server.empty()
    script(
        server,
        tmp_path,
        "create table a (y text, gone int, x int); alter table a drop gone; insert into a values ('', null), ('z', 2), ('ä', 1)",
    )
    assert server.engine.digest(server.target(), ()) == before


def test_an_unreachable_database_is_an_error_with_its_address(server: Server) -> None:
    nowhere = replace(server.target(), address=NOBODY)
    with pytest.raises(EnvironmentFailed, match=r"cannot connect to 127\.0\.0\.1:1"):
        server.engine.query(nowhere, "select 1")


def test_a_transaction_that_stands_in_the_way_is_named(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(server, tmp_path, "create table a (id int)")
    server.engine.query(server.target(), "alter role postgres set lock_timeout = '20s'")
    with closing(connect(server.target())) as client:
        client.execute("lock table a in access exclusive mode")
        monkeypatch.setattr("seeder.engines._postgres_connection.SETTINGS", "-c lock_timeout=200ms")
        with pytest.raises(EnvironmentFailed, match=r"cannot be digested: canceling statement due to lock timeout\n.*a client holds a"):
            server.engine.digest(server.target(), ())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_every_text_arrives_as_it_is(running: Server, texts: list[str]) -> None:
    running.engine.query(
        running.target(), "drop table if exists texts; create table texts (id int primary key, one text, many text[], doc jsonb)"
    )
    rows = [Row(place, (place, text, [text, None], {text: [text]})) for place, text in enumerate(texts, 1)]
    table = Table(Part("table", "db", "texts", Path("texts.jsonl"), "jsonl"), ("id", "one", "many", "doc"), lambda: iter(rows))
    load(running.engine, running.target(), [table])
    found = running.engine.query(running.target(), "select one, many, doc::text from texts order by id")
    assert [(one, many, json.loads(doc)) for one, many, doc in found] == [(text, [text, None], {text: [text]}) for text in texts]
