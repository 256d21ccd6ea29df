"""PostgreSQL keeps the engines' contract; keys of every kind, circles, sequences, views, and what a refusal says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from seeder.engines._postgres_connection import connect
from seeder.errors import DefinitionError, EnvironmentFailed, RefusedStatement
from seeder.passed.content import Records
from seeder.passed.target import Target
from tests.contract.engine_contract import EngineContract, load, read
from tests.contract.serving import Server

SCHEMA = (Path(__file__).parent / "postgres_schema.sql").read_text(encoding="utf-8")

FILES = {
    # a child before its parent, in a table that refers to itself
    "categories.csv": "id,parent_id,name\n7,3,Cheese\n3,,Food\n",
    # a circle: customers -> orders -> customers, and neither constraint is deferrable
    "customers.jsonl": (
        '{"id": 5, "email": "ann@example.org", "deleted": false, "favourite_order": 41, "mood": "cross",'
        ' "tags": ["a\\"b", "c,d", null, "e\\\\f"], "profile": {"b": 1.50, "a": ["ü", null]}}\n'
        '{"id": 6, "email": "bob@example.org", "deleted": true, "favourite_order": null, "mood": "calm", "tags": [], "profile": "text"}\n'
        '{"id": 9, "email": "bob@example.org", "deleted": false, "favourite_order": null, "mood": "calm", "tags": ["x"], "profile": null}\n'
    ),
    "orders.csv": "id,customer_id,total,placed_at,receipt\n41,5,19.90,2026-01-01T12:00:00+02:00,\\x00ff\n40,9,5,as_of-30d,\n",
    "items.yaml": "- {order_id: 41, line: 2, weight: 0.1, duration: 90 minutes, about: {b: 1, a: 2}}\n"
    "- {order_id: 41, line: 1, weight: 1.0e+22, duration: null, about: null}\n",
    "Price List.csv": '"Code",Käse € %,select\na\\b,1.10,2026-02-28\n"tab\tand\nline",,\n"",NaN,infinity\n',
    "audit.log.csv": "id,entry\nA0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,\\N\n",
    "measurements.csv": "at,value\n2026-01-02,0.1\n2025-05-05,1e-7\n",
}


def tables(folder: Path, *names: str, **changed: str) -> list[Records]:
    texts = FILES | {name.replace("__", "."): text for name, text in changed.items()}
    return [read(folder, name, texts[name]) for name in (names or texts)]


def rows(server: Server, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = server.engine.query(server.target(), statement, parameters)
    return found


def scalar(server: Server, statement: str) -> Any:
    return rows(server, statement)[0][0]


def refused(server: Server, records: list[Records], **how: Any) -> str:
    with pytest.raises(DefinitionError) as error:
        load(server.engine, server.target(), records, **how)
    return str(error.value)


class PostgresContract(EngineContract):
    def make(self, server: Server) -> None:
        server.engine.query(server.target(), SCHEMA)

    def records(self, folder: Path) -> list[Records]:
        return tables(folder)

    def counts(self) -> dict[str, int]:
        one = {"categories": 2, "customers": 3, "orders": 2, "items": 2, "Price List": 3, "audit.log": 1, "measurements": 2}
        return dict(sorted(one.items()))

    def bad(self, folder: Path) -> tuple[list[Records], tuple[str, ...]]:
        file = "id,customer_id,total,placed_at,receipt\n41,5,1,2026-01-01,\n40,77,5,2026-01-01,\n"
        return tables(folder, orders__csv=file), ("orders.csv:3", "orders.customer_id", "customer_id = '77'", "orders_customer_id_fkey")

    def alter(self, server: Server) -> None:
        rows(server, "update orders set total = total + 1 where id = 41")

    def seen(self, server: Server) -> object:
        return scalar(server, "select count(*) from categories")  # no part of the circle, whose tables wait for the load's end

    @contextmanager
    def client(self, target: Target) -> Iterator[Callable[[], object]]:
        with closing(connect(target, autocommit=True)) as connection:
            yield lambda: connection.execute("select 1")


class TestPostgres(PostgresContract):
    compose = """
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: "pa'ss wörd/@", POSTGRES_DB: "Shop"}
"""

    def test_rows_arrive_as_the_files_say(self, loaded: Server) -> None:
        assert rows(loaded, "select id, parent_id, name from categories order by id") == [(3, None, "Food"), (7, 3, "Cheese")]
        ann = rows(loaded, "select favourite_order, mood, tags, profile from customers where id = 5")
        assert ann == [(41, "cross", ['a"b', "c,d", None, "e\\f"], {"a": ["ü", None], "b": 1.5})]
        assert rows(loaded, "select profile::text from customers where id <> 5 order by id") == [('"text"',), (None,)]
        assert rows(loaded, "select total::text, total_cents, receipt from orders order by id") == [
            ("5.00", 500, None),
            ("19.90", 1990, b"\x00\xff"),
        ]
        assert (
            scalar(loaded, "select string_agg(placed_at::text, ' ' order by id) from orders")
            == "2025-12-16 12:00:00+00 2026-01-01 10:00:00+00"
        )
        assert rows(loaded, "select line, weight::text, duration::text, about::text from items order by line") == [
            (1, "1e+22", None, None), (2, "0.1", "01:30:00", '{"b":1,"a":2}')]  # fmt: skip
        listed = rows(loaded, """select "Code", "Käse € %"::text, "select"::text from "Price List" order by 1""")
        assert sorted(listed) == [("", "NaN", "infinity"), ("a\\b", "1.10", "2026-02-28"), ("tab\tand\nline", None, None)]
        assert rows(loaded, "select id::text, entry from audit.log") == [("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "\\N")]
        assert rows(loaded, "select tableoid::regclass::text, value::text from measurements order by at") == [
            ("measurements_2025", "1e-07"), ("measurements_2026", "0.1")]  # fmt: skip

    @pytest.mark.parametrize("upsert", [False, True])
    def test_the_next_row_gets_a_fresh_key(self, server: Server, tmp_path: Path, upsert: bool) -> None:
        load(server.engine, server.target(), self.records(tmp_path), upsert=upsert)
        assert rows(server, "insert into categories (name) values ('new') returning id") == [(8,)]
        assert rows(server, "insert into customers (email) values ('new') returning id") == [(10,)]
        assert rows(server, "insert into orders (customer_id, total, placed_at) values (5, 1, now()) returning id") == [(42,)]

    def test_a_sequence_that_stands_further_stays(self, server: Server, tmp_path: Path) -> None:
        rows(server, "select setval('orders_id_seq', 1000)")
        load(server.engine, server.target(), self.records(tmp_path))
        assert scalar(server, "select nextval('orders_id_seq')") == 1001

    def test_sequences_with_other_steps_and_ends(self, server: Server, tmp_path: Path) -> None:
        rows(server, "create sequence down increment -5 start -1; create sequence tiny maxvalue 3")
        rows(server, "create table steps (a int primary key default nextval('down'), b int default nextval('tiny'))")
        load(server.engine, server.target(), [read(tmp_path, "steps.csv", "a,b\n-20,3\n-3,1\n")])
        assert scalar(server, "select nextval('down')") == -25
        with pytest.raises(EnvironmentFailed, match="reached maximum value"):
            rows(server, "select nextval('tiny')")

    def test_materialised_views_are_fresh_in_the_order_of_their_making(self, loaded: Server) -> None:
        assert rows(loaded, "select email from revenue order by total") == [("bob@example.org",), ("ann@example.org",)]
        assert scalar(loaded, "select email from a_best_customer") == "ann@example.org"

    def test_constraints_of_a_circle_are_as_they_were(self, loaded: Server) -> None:
        kept = (
            "select conname, condeferrable, convalidated from pg_constraint where conname ~ 'customers_favourite|orders_customer_id_fkey'"
        )
        assert sorted(rows(loaded, kept)) == [("customers_favourite", False, True), ("orders_customer_id_fkey", False, True)]

    def test_a_deferrable_constraint_of_a_circle_is_checked_too(self, server: Server, tmp_path: Path) -> None:
        rows(server, "alter table customers alter constraint customers_favourite deferrable")
        changed = FILES["customers.jsonl"].replace("41", "99")
        told = refused(server, tables(tmp_path, customers__jsonl=changed))
        assert "customers.jsonl:1: customers.favourite_order: favourite_order = 99: no such row" in told

    def test_an_upsert_touches_only_what_differs(self, loaded: Server, tmp_path: Path) -> None:
        for table in ("categories", "orders", "items"):
            rows(loaded, f"create trigger noted after insert or update on {table} for each row execute function note()")
        changed = FILES["orders.csv"].replace("19.90", "20") + "50,9,1,2026-01-01,\n"
        load(loaded.engine, loaded.target(), tables(tmp_path, orders__csv=changed), upsert=True)
        assert sorted(rows(loaded, "select * from journal")) == [("orders", "INSERT"), ("orders", "UPDATE")]
        assert scalar(loaded, "select total_cents from orders where id = 41") == 2000

    def test_an_upsert_by_a_natural_key_draws_no_numbers(self, server: Server, tmp_path: Path) -> None:
        for text in ("name,parent_id\nFood,\nDrink,\n", "name,parent_id\nDrink,1\nFood,\nSoap,\n"):
            load(server.engine, server.target(), [read(tmp_path, "categories.csv", text)], upsert=True, keys={"categories": ("name",)})
        assert rows(server, "select id, parent_id, name from categories order by id") == [
            (1, None, "Food"),
            (2, 1, "Drink"),
            (3, None, "Soap"),
        ]

    def test_an_upsert_needs_to_know_its_rows(self, loaded: Server, tmp_path: Path) -> None:
        no_key = refused(loaded, [read(tmp_path, "journal.csv", "table_name\nx\n")], upsert=True)
        assert "journal.csv:1: journal: the table has no primary key" in no_key
        assert "natural_keys: {db.journal: [COLUMN]}" in no_key
        lacks = refused(loaded, [read(tmp_path, "items.csv", "order_id,weight\n41,1\n")], upsert=True)
        assert "items.csv:1: items.line: the file lacks line" in lacks
        twice = refused(loaded, [read(tmp_path, "categories.csv", "id,name\n1,a\n2,b\n1,c\n")], upsert=True)
        assert "categories.csv:4: categories.id: line 2 holds the same id" in twice
        empty = refused(loaded, [read(tmp_path, "categories.csv", "id,name\n1,a\n,b\n")], upsert=True)
        assert "categories.csv:3: categories.id: the value is empty" in empty
        other = [read(tmp_path, "customers.csv", "id,email\n5,ann@example.org\n7,nobody\n6,bob@example.org\n")]
        fixed = refused(loaded, other, upsert=True, keys={"customers": ("email",)})
        assert "customers.csv" in fixed
        assert "generated always as identity" in fixed

    def test_everything_wrong_with_the_columns_is_told_at_once(self, server: Server, tmp_path: Path) -> None:
        orders = "id,customer,total,total_cents\n1,1,1,100\n"
        told = refused(
            server,
            [read(tmp_path, "orders.csv", orders), read(tmp_path, "order_items.csv", "a\n1\n"), read(tmp_path, "items.csv", "Line\n1\n")],
        )
        assert "orders.csv:1: orders.customer: the table has no such column\n    -> did you mean 'customer_id'?" in told
        assert "orders.csv:1: orders.total_cents: the database computes this column itself\n    -> leave it out of the file" in told
        assert "order_items.csv:1: order_items: there is no such table" in told
        assert "items.csv:1: items.Line: the table has no such column\n    -> did you mean 'line'?" in told

    @pytest.mark.parametrize("upsert", [False, True])
    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("orders.csv", "41,5,abc,2026-01-01,", ["orders.csv:3: orders.total: total = 'abc'", "invalid input syntax for type numeric"]),
            ("orders.csv", "42,5,-1,2026-01-01,", ["orders.csv:3: orders.total", "total = '-1'", "price_check"]),
            ("orders.csv", "42,5,1000000,2026-01-01,", ["orders.total: total = '1000000': this breaks", "orders_total_is_sane: CHECK"]),
            ("orders.csv", "42,5,,2026-01-01,", ["orders.csv:3: orders.total: total = null: the column must have a value"]),
            ("orders.csv", "42,5,1,2026-02-30,", ["orders.csv:3: orders.placed_at: placed_at = '2026-02-30'", "out of range"]),
            ("orders.csv", "42,05,1,2026-01-01,\\xzz", ["orders.csv:3: orders.receipt", "invalid hexadecimal"]),
            ("orders.csv", "42,0077,1,2026-01-01,", ["orders.csv:3: orders.customer_id: customer_id = '0077'", "no such row"]),
        ],
    )  # fmt: skip
    def test_a_bad_row_is_named_with_its_value(
        self, loaded: Server, tmp_path: Path, upsert: bool, name: str, text: str, told: list[str]
    ) -> None:
        before = self.digest(loaded)
        file = f"id,customer_id,total,placed_at,receipt\n60,5,1,2026-01-01,\n{text}\n61,5,1,2026-01-01,\n"
        message = refused(loaded, [read(tmp_path, name, file)], upsert=upsert)
        assert [words for words in told if words not in message] == []
        assert self.digest(loaded) == before

    def test_a_row_that_clashes_is_named_with_its_constraint(self, loaded: Server, tmp_path: Path) -> None:
        there = refused(loaded, [read(tmp_path, "categories.csv", "id,name\n20,Tea\n21,Food\n")])
        assert (
            "categories.csv:3: categories.name: name = 'Food': another row of categories has the same (categories_name_key: UNIQUE (name))"
            in there
        )
        partial = '{"email": "new"}\n{"email": "ann@example.org"}\n'
        told = refused(loaded, [read(tmp_path, "customers.jsonl", partial)])
        assert (
            "customers.jsonl:2: customers.email: email = 'ann@example.org': another row of customers has the same (customers_email:" in told
        )
        both = refused(loaded, [read(tmp_path, "items.csv", "order_id,line\n41,3\n41,2\n")])
        assert (
            "items.csv:3: items: order_id = '41', line = '2': another row of items has the same (items_pkey: PRIMARY KEY (order_id, line))"
            in both
        )

    def test_lines_are_those_of_the_file_not_of_the_rows(self, server: Server, tmp_path: Path) -> None:
        text = 'name,parent_id\n"one\nname\nof four\nlines",\nother,12\n'
        assert "categories.csv:6: categories.parent_id: parent_id = '12'" in refused(server, [read(tmp_path, "categories.csv", text)])

    def test_values_that_no_column_can_hold_are_refused(self, server: Server, tmp_path: Path) -> None:
        told = refused(server, [read(tmp_path, "categories.jsonl", '{"name": "a"}\n{"name": {"de": "b"}}\n')])
        assert "categories.jsonl:2: categories.name: the file gives a mapping, and the column is text" in told

    def test_a_column_without_which_no_row_is_complete(self, server: Server, tmp_path: Path) -> None:
        told = refused(server, [read(tmp_path, "orders.csv", "id,total\n1,1\n")])
        assert "orders.csv:1: orders.customer_id: the file lacks the column" not in told  # the place is the row that was refused
        assert "orders.csv:2: orders.customer_id: the file lacks the column, which must have a value and has no default" in told

    def test_what_breaks_a_rule_of_its_table_is_known_not_to_be_there(self, loaded: Server) -> None:
        for statement in ("insert into categories (id) values (null)", "select 1 / 0", "insert into items (order_id) values (-1)"):
            with pytest.raises(RefusedStatement):
                rows(loaded, statement)

    def test_a_database_with_other_tables_gets_those_that_were_saved(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        loaded.engine.query(loaded.target(), "alter table categories add more int; create table strange (id serial)")
        loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before

    def test_a_transaction_that_a_client_holds_open_does_not_stop_a_restore(self, loaded: Server, tmp_path: Path) -> None:
        before = self.digest(loaded)
        loaded.engine.save(loaded.target(), tmp_path / "saved")
        with closing(connect(loaded.target())) as client:
            client.execute("insert into journal values ('orders', 'unfinished')")
            loaded.engine.restore(loaded.target(), tmp_path / "saved")
        assert self.digest(loaded) == before

    def test_a_key_of_a_domain_is_what_the_domain_is_based_on(self, server: Server) -> None:
        rows(server, "create domain code as varchar(40) check (value <> ''); create table tills (id code primary key, at date)")
        assert server.engine.keys(server.target(), ["tills"])["tills"].types == {"id": "character varying(40)", "at": "date"}

    def test_a_guest_alters_no_foreign_key(self, server: Server, tmp_path: Path) -> None:
        found = "select conname, condeferrable, condeferred from pg_constraint order by oid"
        before, guest = rows(server, found), server.engine.join(server.target())
        with pytest.raises(DefinitionError, match=r"go round in circles, and \w+ is checked at once"):
            guest.load(tables(tmp_path, "customers.jsonl", "orders.csv"))
        guest.rollback()
        assert rows(server, found) == before
        assert scalar(server, "select count(*) from customers") == 0

    def test_whether_a_guests_rows_were_committed_is_known_later(self, server: Server, tmp_path: Path) -> None:
        engine, target, known = server.engine, server.target(), []
        for number, end in enumerate(("commit", "rollback")):
            guest = engine.join(target)
            guest.load([read(tmp_path, "categories.csv", f"id,name\n90{number},number {number}\n")])
            guest.verify()
            known.append(guest.transaction)
            getattr(guest, end)()
        assert [engine.committed(target, one) for one in known] == [True, False]
        assert rows(server, "select id from categories") == [(900,)]

    def test_many_rows(self, server: Server, tmp_path: Path) -> None:
        text = "id,name\n" + "".join(f"{number},name {number}\n" for number in range(1, 30_001))
        assert load(server.engine, server.target(), [read(tmp_path, "categories.csv", text)]) == {"categories": 30_000}
        load(server.engine, server.target(), [read(tmp_path, "categories.csv", text.replace("name 777\n", "seven\n"))], upsert=True)
        assert rows(server, "select count(*), max(id), count(*) filter (where name = 'seven') from categories") == [(30_000, 30_000, 1)]


class TestPostgres16(PostgresContract):
    """Locally the other embedded version; there is no image of it here, so only there."""

    compose = "services: {db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: pw}}}"

    @pytest.fixture(scope="class", params=["local"])
    @classmethod
    def running(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        from tests.contract.serving import serving

        with serving(request.param, cls.compose, tmp_path_factory.mktemp("sixteen")) as server:
            yield server

    def test_both_runtimes_hold_the_same_and_read_what_the_other_saved(self, tmp_path: Path) -> None:
        """Version 16 and what stands in for 17 hold the same."""
        from tests.contract.serving import serving

        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        newer = self.compose.replace("16", "17")
        with serving("local", self.compose, tmp_path / "a") as old, serving("local", newer, tmp_path / "b") as new:
            for server in (old, new):
                self.make(server)
                load(server.engine, server.target(), self.records(tmp_path / server.name))
            assert rows(old, "show server_version_num")[0][0][:2] == "16"
            assert rows(new, "show server_version_num")[0][0][:2] == "18"
            assert self.digest(old) == self.digest(new)
            old.engine.save(old.target(), tmp_path / "saved")
            new.empty()
            new.engine.restore(new.target(), tmp_path / "saved")
            assert self.digest(old) == self.digest(new)
            self.refuses_a_higher_version(old, new, tmp_path / "newer")

    def refuses_a_higher_version(self, old: Server, new: Server, folder: Path) -> None:
        """Where the tables are the same no schema is needed."""
        new.engine.save(new.target(), folder)
        old.engine.restore(old.target(), folder)
        old.engine.query(old.target(), "create table more (id int)")
        before = self.digest(old)
        with pytest.raises(EnvironmentFailed, match=r"differs in public.more\), and .*postgres 18 -> 16"):
            old.engine.restore(old.target(), folder)
        assert self.digest(old) == before
