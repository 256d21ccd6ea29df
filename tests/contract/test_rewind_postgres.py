"""A database comes back as it was marked: in place, its clients connected, as long as only rows changed; else as a copy of the mark."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from seeder import order
from seeder.engines import _postgres_mark
from seeder.engines._postgres_connection import connect
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from tests.contract.engine_contract import RUNTIMES, load
from tests.contract.rewind_contract import RewindContract
from tests.contract.serving import Server, serving
from tests.contract.test_postgres import SCHEMA, rows, scalar, tables

REPLACED = "the database was replaced, and connections to it ended"


def changed(rewinder: Any, way: str = "in place") -> set[str]:
    found = rewinder.rewind("in place")
    assert (found.way, found.because) == (way, "")
    return set(found.changed)


def swapped(rewinder: Any) -> str:
    found = rewinder.rewind("in place")
    assert (found.way, found.restart) == ("swap", REPLACED)
    return str(found.because)


class TestPostgres(RewindContract):
    replaced = "swap"
    compose = """
services:
  db:
    image: postgres:17
    command: ["postgres", "-c", "max_prepared_transactions=5"]
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: "pa'ss wörd/@", POSTGRES_DB: "Shop"}
"""

    def fill(self, server: Server, folder: Path) -> None:
        server.engine.query(server.target(), SCHEMA)
        load(server.engine, server.target(), tables(folder))

    def work(self, server: Server) -> None:
        rows(server, "insert into categories (name) values ('new')")
        rows(server, "update orders set total = total + 1 where id = 41")
        rows(server, "delete from items where line = 1")

    def worked(self) -> tuple[str, ...]:
        return ("categories", "orders", "items", "categories_id_seq")

    @contextmanager
    def client(self, server: Server) -> Iterator[Callable[[], object]]:
        with closing(connect(server.target(), autocommit=True)) as connection:
            yield lambda: connection.execute("select 1")

    # -- in place -----------------------------------------------------------------------------------------------------

    @pytest.mark.one_runtime
    @pytest.mark.parametrize(
        ("statement", "names"),
        [
            ("truncate orders cascade", {"orders", "items", "customers"}),
            ("truncate customers restart identity cascade", {"customers", "orders", "items", "customers_id_seq", "orders_id_seq"}),
            ("delete from measurements; insert into measurements values ('2025-03-03', 1)", {"measurements_2025", "measurements_2026"}),
            ("update customers set email = email", {"customers"}),
            ("with gone as (delete from items returning *) insert into items select * from gone", {"items"}),
            ("select nextval('orders_id_seq')", {"orders_id_seq"}),
            ("alter sequence orders_id_seq restart with 7", {"orders_id_seq"}),
            ("insert into audit.log values (gen_random_uuid(), 'x')", {"audit.log"}),
            ('update "Price List" set "select" = null', {"Price List"}),
            ("select lo_from_bytea(0, 'large')", {"large objects"}),
            ("insert into orders (customer_id, total, placed_at) values (5, 7, now()); refresh materialized view revenue",
             {"orders", "orders_id_seq", "revenue"}),
            ("create temporary table passing as select * from orders; insert into journal values ('a', 'b')", {"journal"}),
        ],
    )  # fmt: skip
    def test_only_what_changed_is_given_back(self, server: Server, rewinder: Any, statement: str, names: set[str]) -> None:
        before = self.digest(server)
        for _ in range(2):
            rows(server, statement)
            assert changed(rewinder) == names
            assert self.digest(server) == before

    @pytest.mark.one_runtime
    def test_rows_that_were_moved_by_vacuum_are_found(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        for _ in range(2):
            rows(server, "delete from items where line = 1")
            rows(server, "vacuum full items")
            assert changed(rewinder) == {"items"}
            rows(server, "vacuum full items")
            rows(server, "vacuum freeze items")
            changed(rewinder)
            assert self.digest(server) == before

    @pytest.mark.one_runtime
    def test_triggers_stay_silent(self, server: Server, rewinder: Any) -> None:
        rows(server, "create trigger noted after insert or update or delete on orders for each row execute function note()")
        rewinder.mark()
        rows(server, "update orders set total = 1; delete from journal")
        assert changed(rewinder) == {"orders"}
        assert scalar(server, "select count(*) from journal") == 0

    @pytest.mark.one_runtime
    def test_a_transaction_that_was_open_when_the_state_was_marked_is_undone(self, server: Server, tmp_path: Path) -> None:
        """Its numbers are older than the mark, those of its subtransactions stand in no snapshot."""
        before = self.digest(server)
        other = server.engine.rewinder(server.target(), tmp_path / "mark")
        keeper = connect(server.target(), database="postgres", autocommit=True)  # one that outlives the marking
        keeper.execute("create table if not exists elsewhere (a int)")
        keeper.execute("begin; insert into elsewhere values (1); savepoint s; insert into elsewhere values (2)")
        other.mark()
        rows(server, "update orders set total = total + 1")
        keeper.execute("commit")
        keeper.close()
        assert changed(other) == {"orders"}
        assert self.digest(server) == before
        other.close()

    def test_a_transaction_that_is_open_is_ended(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        with closing(connect(server.target())) as client:
            client.execute("update orders set total = total + 1")
            client.execute("savepoint s")
            client.execute("lock table items")
            assert rewinder.rewind("in place").way == "untouched"
            with pytest.raises(psycopg.OperationalError):
                client.commit()
        assert self.digest(server) == before

    @pytest.mark.one_runtime
    def test_a_prepared_transaction_is_rolled_back(self, server: Server, rewinder: Any) -> None:
        with closing(connect(server.target(), autocommit=True)) as client:
            client.execute("begin; update orders set total = total + 1; prepare transaction 'left'")
            assert rewinder.rewind("in place").way == "untouched"
            assert client.execute("select count(*) from pg_prepared_xacts").fetchone() == (0,)

    @pytest.mark.one_runtime
    def test_a_connection_that_was_ended_is_made_again(self, server: Server, rewinder: Any) -> None:
        self.work(server)
        rows(
            server, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
        )
        assert rewinder.rewind("in place").changed == self.worked()

    def test_roles_and_settings_are_given_back_in_place(self, server: Server, rewinder: Any) -> None:
        with self.client(server) as works:
            rows(server, "create role bob login; alter role app set search_path = audit; alter database \"Shop\" set work_mem = '7MB'")
            rows(server, 'grant connect on database "Shop" to bob; grant pg_read_all_data to bob; alter role app connection limit 50')
            assert rewinder.rewind("in place").way == "in place"
            works()
        assert scalar(server, "select count(*) from pg_roles where rolname = 'bob'") == 0
        assert scalar(server, "show search_path") == '"$user", public'
        assert scalar(server, "show work_mem") == "4MB"
        assert scalar(server, "select rolconnlimit from pg_roles where rolname = 'app'") == -1

    # -- swapped ------------------------------------------------------------------------------------------------------

    @pytest.mark.one_runtime
    @pytest.mark.parametrize(
        ("statement", "because"),
        [
            ("create table made (id int)", "the schema was changed (pg_attribute, pg_class, pg_depend, pg_type)"),
            ("alter table orders add column more int default 1", "the schema was changed (pg_attrdef, pg_attribute, pg_class, pg_depend)"),
            ("drop table items", "the schema was changed"),
            ("grant select on orders to public", "the schema was changed (pg_class)"),
            ("comment on table orders is 'mine'", "the schema was changed (pg_description)"),
            ("comment on schema public is 'mine'", "the schema was changed (pg_description)"),
            ("alter function pg_sleep(double precision) cost 7", "the schema was changed (pg_proc)"),
            ("revoke execute on function pg_sleep(double precision) from public", "the schema was changed (pg_proc)"),
            ("create or replace function note() returns trigger language plpgsql as 'begin return new; end'", "(pg_proc)"),
            ("alter table orders disable trigger all", "the schema was changed (pg_trigger)"),
            ("drop sequence orders_id_seq cascade", "the schema was changed"),
            ("refresh materialized view revenue with no data", "the schema was changed (pg_class)"),
        ],
    )
    def test_another_schema_is_swapped(self, server: Server, rewinder: Any, statement: str, because: str) -> None:
        before = self.digest(server)
        rows(server, statement)
        assert because in swapped(rewinder)
        assert self.digest(server) == before
        assert rewinder.rewind("in place").way == "untouched"

    @pytest.mark.one_runtime
    def test_a_table_whose_triggers_cannot_be_silent_is_swapped(self, server: Server, rewinder: Any) -> None:
        rows(server, "create trigger noted after delete on orders for each row execute function note()")
        rows(server, "alter table orders enable always trigger noted")
        rewinder.mark()
        rows(server, "update orders set total = 1")
        assert swapped(rewinder) == "orders changed, and has triggers or rules that cannot be kept silent, or no columns"

    @pytest.mark.one_runtime
    def test_a_view_that_was_stale_when_it_was_marked_is_swapped(self, server: Server, rewinder: Any) -> None:
        rows(server, "update orders set total = 100 where id = 41")
        rewinder.mark()
        before = rows(server, "select * from revenue order by 1")
        rows(server, "refresh materialized view revenue")
        assert "revenue was not fresh when the state was marked" in swapped(rewinder)
        assert rows(server, "select * from revenue order by 1") == before

    def test_what_the_server_keeps_of_a_database_comes_back_with_it(self, server: Server, rewinder: Any) -> None:
        about = """select datconnlimit, datacl::text, shobj_description(oid, 'pg_database'),
                          (select setconfig from pg_db_role_setting where setdatabase = oid and setrole = 0) from pg_database
                   where datname = 'Shop'"""
        rows(server, 'create role reader; grant connect on database "Shop" to reader; alter database "Shop" set work_mem = \'5MB\'')
        rows(server, 'comment on database "Shop" is \'ours\'; alter database "Shop" connection limit 50')
        rewinder.mark()
        before = rows(server, about)
        for _ in range(2):
            rows(server, 'create table made (id int); alter database "Shop" reset work_mem; comment on database "Shop" is null')
            swapped(rewinder)
            assert rows(server, about) == before
        with pytest.raises(EnvironmentFailed, match="privileges for database"):
            rows(server, "drop role reader")
        rows(server, 'revoke connect on database "Shop" from reader; drop role reader')

    def test_a_dropped_database_comes_back(self, server: Server, rewinder: Any) -> None:
        before = self.digest(server)
        with closing(connect(server.target(), database="postgres", autocommit=True)) as connection:
            connection.execute('drop database "Shop" with (force)')
        assert rewinder.rewind("in place").way == "swap"
        assert self.digest(server) == before

    def test_clients_of_a_swapped_database_lose_their_connections(self, server: Server, rewinder: Any) -> None:
        with self.client(server) as works:
            rows(server, "create table made (id int)")
            swapped(rewinder)
            with pytest.raises(psycopg.OperationalError):
                works()

    @pytest.mark.one_runtime
    def test_marking_ends_connections_and_says_so(self, server: Server, tmp_path: Path) -> None:
        other = server.engine.rewinder(server.target(), tmp_path / "other")
        assert other.mark() == ""
        with self.client(server):
            assert other.mark() == "its database was copied, which ends connections to it"
        other.close()

    @pytest.mark.one_runtime
    def test_a_table_of_many_rows_is_not_kept_row_by_row(self, server: Server, rewinder: Any) -> None:
        rows(server, f"create table many as select generate_series(0, {_postgres_mark.MOST_ROWS}) n")
        rewinder.mark()
        rows(server, "insert into many values (0)")
        assert changed(rewinder) == {"many"}
        rows(server, "delete from many where n = 1")
        assert swapped(rewinder) == "many changed, and is too large to be given back row by row"
        assert scalar(server, "select count(*) from many") == _postgres_mark.MOST_ROWS + 1


BITNAMI = """
services:
  db:
    image: bitnami/postgresql:16
    environment: {POSTGRESQL_USERNAME: app, POSTGRESQL_PASSWORD: pw, POSTGRESQL_DATABASE: shop, POSTGRESQL_POSTGRES_PASSWORD: root}
"""


def test_without_a_superuser_the_database_is_swapped(tmp_path: Path) -> None:
    with serving("local", BITNAMI, tmp_path) as server:
        rows(server, "create table t (id serial primary key, a int); insert into t (a) values (1), (2)")
        rewinder = server.engine.rewinder(server.target(), tmp_path / "mark")
        rewinder.mark()
        before = server.engine.digest(server.target(), ())
        assert rewinder.rewind("in place").way == "untouched"
        rows(server, "update t set a = 3")
        assert "no superuser to see them all" in swapped(rewinder)
        assert server.engine.digest(server.target(), ()) == before
        rewinder.close()


SEVERAL = """
services:
  pg:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: main}
    x-seeder: {databases: {main: {}, audit: {}}}
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_client_that_is_held_while_it_logs_in_holds_up_nobody(runtime: str, tmp_path: Path) -> None:
    """The server would wait for it, as for all its clients, until its time to log in is over; that is a minute by default."""
    with serving(runtime, TestPostgres.compose, tmp_path) as server, ExitStack() as closing_later:
        server.engine.query(server.target(), "alter system set authentication_timeout = '10min'")
        server.engine.query(server.target(), "select pg_reload_conf()")
        rewinder = closing_later.enter_context(closing(server.engine.rewinder(server.target(), tmp_path / "mark")))
        rewinder.mark()
        client = closing_later.enter_context(arriving(server.target()))
        rows(server, "create table extra (id int)")
        assert rewinder.rewind("swap").way == "swap"
        order.aside(lambda: rewinder.rewind("swap"), within=120)()  # once the database that was replaced is gone
        assert client.recv(1000) == b""  # the client was ended


@contextmanager
def arriving(target: Target) -> Iterator[socket.socket]:
    """A client that has said who it is, and does not say its password. See "Message Formats" of PostgreSQL's protocol."""
    given = b"".join(word.encode() + b"\0" for word in ("user", str(target.user), "database", str(target.database), ""))
    with socket.create_connection((target.address.host, target.address.port), timeout=60) as client:
        client.sendall(struct.pack("!ii", len(given) + 8, 196608) + given)
        assert client.recv(1000)[:1] == b"R"  # asks for the password
        yield client


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_databases_of_one_server_have_marks_of_their_own(runtime: str, tmp_path: Path) -> None:
    with serving(runtime, SEVERAL, tmp_path) as server:
        stores = {name: server.target(f"pg/{name}") for name in ("main", "audit")}
        rewinders = {name: server.engine.rewinder(target, tmp_path / f"mark-{name}") for name, target in stores.items()}
        for name, target in stores.items():
            server.engine.query(target, "create table t (a int); insert into t values (1)")
            rewinders[name].mark()
        server.engine.query(stores["main"], "create role bob; update t set a = 2")
        server.engine.query(stores["audit"], "create table owned (a int); alter table owned owner to bob")
        found = rewinders["main"].rewind("swap")
        assert found.notes == ("the role bob stays: another database of the server needs it",)
        assert rewinders["audit"].rewind("in place").way == "swap"
        assert server.engine.query(stores["main"], "select count(*) from pg_roles where rolname = 'bob'") == [(0,)]
        assert rewinders["main"].rewind("in place").way == rewinders["audit"].rewind("in place").way == "untouched"
        for rewinder in rewinders.values():
            rewinder.close()
