"""Every gate against real stores and a real service: it is silent when all is well, and says which row, where, when not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nats
import psycopg
import pytest
import redis

from seeder.definition.dataset import Part
from seeder.definition.expectation import Expectation
from seeder.definition.extension import CountRange, Gates
from seeder.definition.stack import Column, Reference
from seeder.errors import EnvironmentFailed, Mark, Problem
from seeder.events import Noticed, Waited
from seeder.handles.stub import Stub
from seeder.passed.content import Key, Keys, Message, Messages, Records
from seeder.passed.fitness import Fitness, LoadedTable, Revision
from seeder.protocols import Loads, Rejoins
from seeder.registry import GATES, RUNTIMES
from seeder.wait import READY, never, not_yet, wait_for
from tests.fakes.world import LiveWorld, opened, read

COMPOSE = """
services:
  pg:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: app, POSTGRES_DB: orders}
    x-seeder:
      databases:
        orders: {migrate: {sql: schema}, settled: "select to_regclass('unsent') is null"}
        customers: {migrate: {command: ["true"]}}
  cache: {image: "redis:8"}
  events: {image: "nats:2", command: ["-js"]}
  outside: {image: "wiremock/wiremock:3.13.2"}
  web:
    image: python:3.13-slim
    expose: ["8000"]
    x-seeder: {local: {command: ["{python}", "-m", "http.server", "{port}", "--bind", "{host}"]}, ready: {http: /}}
  once:
    image: python:3.13-slim
    x-seeder: {local: {command: ["true"]}}
  late:
    image: python:3.13-slim
    depends_on: {once: {condition: service_completed_successfully}}
    x-seeder: {local: {command: ["sleep", "60"]}}
"""
ENDS = """
services:
  worker:
    image: python:3.13-slim
    x-seeder: {local: {command: [sh, -c, "echo no settings; exit 3"]}}
"""
WAITED = """
  first:
    image: python:3.13-slim
    x-seeder: {local: {command: ["true"]}}
  second:
    image: python:3.13-slim
    depends_on: {first: {condition: service_completed_successfully}}
    x-seeder: {local: {command: ["true"]}}
"""
TABLES = """
create table customers (id int primary key, email text);
insert into customers values (1, 'a@x.test'), (2, null), (3, null);
create table mandates (customer_id int, line int, iban text, primary key (customer_id, line));
insert into mandates values (1, 1, null), (1, 2, 'X');
"""
ORDERS = """
create table orders (id int primary key generated always as identity, customer_id int not null, status text not null default 'new',
    placed_at timestamptz, total numeric(10, 2), more jsonb);
insert into orders (customer_id, total, placed_at, more)
    select case when g <= 3 then g else g * 1000 end, g, '2026-01-15T12:00Z', '{"a": [1]}' from generate_series(1, 20) g;
"""
KEYS = (
    Key(1, "price", "string", "19.90", 600.0),
    Key(2, "flags", "hash", {"on": "true"}),
    Key(3, "doc", "string", '{"a": 1, "b": 2}'),
)
HERE = Mark(Path("scenario.yaml"), 7)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorld]:
    folder = tmp_path_factory.mktemp("gates")
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "schema").mkdir()
    (folder / "schema/001-orders.sql").write_text("select 1;\n")
    (folder / "state.json").write_text('{"status": "open", "lines": [{"sku": "x", "n": 1}], "total": 2.5}')
    with opened(read(folder / "compose.yaml"), "pg", "cache", "events", "outside", "web") as live:
        for store, sql in (("pg/orders", ORDERS), ("pg/customers", TABLES)):
            with psycopg.connect(live.target(store).url()) as connection:
                connection.execute(sql)
        fill(live, "cache", Keys(part("keys", "cache"), KEYS))
        asyncio.run(make_stream(live.target("events").url()))
        messages = [Message(n, "orders.placed", {}, {"id": n, "kind": {"new": True}}) for n in (1, 2)]
        messages.append(Message(3, "orders.told", {}, json.dumps('{"id": 3}')))
        fill(live, "events", Messages(part("messages", "events"), tuple(messages)))
        Stub(live.target("outside")).answer({"request": {"url": "/messages"}, "response": {"status": 202}})
        live.http("outside").post("/messages", json={"to": "ann", "kind": "placed"})
        live.http("outside").get("/other?a=1", headers={"X-Kind": "mail"})
        yield live


async def make_stream(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name="ORDERS", subjects=["orders.>"])
    await client.close()


def part(kind: Any, owner: str) -> Part:
    return Part(kind, owner, "orders", Path(f"{kind}.jsonl"), "jsonl")


def fill(world: LiveWorld, store: str, records: Records) -> None:
    engine = world.engine(store)
    assert isinstance(engine, Loads)
    session = engine.begin(world.target(store), upsert=False, natural_keys={})
    session.load([records])
    session.verify()
    session.commit()


def check(gate: str, world: LiveWorld, **fitness: Any) -> list[Problem]:
    return list(GATES.get(gate).check(Fitness(**{"revisions": {}, **fitness}), world))


def one(gate: str, world: LiveWorld, **fitness: Any) -> str:
    found = check(gate, world, **fitness)
    assert len(found) == 1, found
    return str(found[0])


def declared(**gates: Any) -> dict[str, Any]:
    return {"gates": (("stack shop", Gates(**gates)),)}


def loaded(table: str, columns: tuple[str, ...], rows: int = 1) -> dict[str, Any]:
    return {"tables": (LoadedTable("checkout@1", "pg/orders", table, columns, rows, Path("orders.csv")),)}


# -- counts, nulls ----------------------------------------------------------------------------------------------------


def test_counts_that_are_met_pass(world: LiveWorld) -> None:
    counts = {"pg/orders.orders": 20, "pg/customers.customers": CountRange(min=1, max=3)}
    assert check("counts", world, **declared(counts=counts), **loaded("orders", ("id",), rows=20)) == []


@pytest.mark.parametrize(
    ("count", "words"),
    [(21, "exactly 21"), (CountRange(min=21), "at least 21"), (CountRange(min=1, max=19), "at least 1 and at most 19"), (0, "exactly 0")],
)
def test_a_count_that_is_not_met_is_told(world: LiveWorld, count: Any, words: str) -> None:
    assert f"holds 20 rows, stack shop wants {words}" in one("counts", world, **declared(counts={"pg/orders.orders": count}))


def test_rows_that_went_missing_after_loading_are_told_with_their_file(world: LiveWorld) -> None:
    found = one("counts", world, **loaded("orders", ("id",), rows=30))
    assert found.startswith("orders.csv:1: pg/orders.orders: holds 20 rows, orders.csv of checkout@1 wants at least 30")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pg/order.orders", "the stack has no store pg/order"),
        ("pg/orders.order", "pg/orders has no table order\n    -> did you mean 'orders'?"),
        ("cache.orders", "cache is a redis store and holds no tables"),
    ],
)
def test_a_count_of_what_is_not_there_is_told_with_the_nearest_name(world: LiveWorld, name: str, message: str) -> None:
    assert message in one("counts", world, **declared(counts={name: 1}))


def test_nulls_are_told_with_the_keys_of_their_rows(world: LiveWorld) -> None:
    assert check("nulls", world, **declared(nulls={"pg/orders.orders": ["status"]})) == []
    found = one("nulls", world, **declared(nulls={"pg/customers.customers": ["id", "email"]}))
    assert "pg/customers.customers.email: is null where stack shop allows no null: id=2; id=3" in found
    assert "customer_id=1, line=1" in one("nulls", world, **declared(nulls={"pg/customers.mandates": ["iban"]}))
    assert "did you mean 'email'?" in one("nulls", world, **declared(nulls={"pg/customers.customers": ["emial"]}))


# -- references -------------------------------------------------------------------------------------------------------


def reference(table: str, column: str, target: str = "customers", field: str = "id") -> dict[str, Any]:
    return {"references": (Reference(Column("pg/orders", table, column), Column("pg/customers", target, field)),)}


def test_values_that_lead_nowhere_are_listed_with_keys_and_their_number(world: LiveWorld) -> None:
    found = one("references", world, **reference("orders", "customer_id"))
    assert "17 of 20 values do not exist in pg/customers.customers.id: 10000 (id=10)" in found
    assert found.count("(id=") == 10
    assert "and 7 more" in found


def test_a_reference_that_holds_passes(world: LiveWorld) -> None:
    backwards = Reference(Column("pg/customers", "mandates", "customer_id"), Column("pg/orders", "orders", "customer_id"))
    assert check("references", world, references=(backwards,)) == []


def test_both_sides_of_a_reference_must_be_there(world: LiveWorld) -> None:
    found = check("references", world, **reference("orders", "customer", "customer", "id"))
    assert [problem.remedy for problem in found] == ["did you mean 'customer_id'?", "did you mean 'customers'?"]


# -- drift ------------------------------------------------------------------------------------------------------------


def test_columns_that_a_dataset_gives_or_leaves_out_wrongly_are_told(world: LiveWorld) -> None:
    assert check("drift", world, **loaded("orders", ("customer_id", "total"))) == []
    found = check("drift", world, **loaded("orders", ("customerid", "totl")))
    assert [problem.remedy for problem in found] == [
        "did you mean 'customer_id'?",
        "did you mean 'total'?",
        "add customer_id to orders.csv",
    ]
    assert "column customer_id must not be null and has no default" in found[2].cause
    assert found[0].mark == Mark(Path("orders.csv"), 1)


def test_a_store_that_is_not_at_its_head_is_told(world: LiveWorld) -> None:
    file = world.stack.project_dir / "schema/001-orders.sql"
    found = one("drift", world, revisions={"pg/orders": (Revision("001-orders", file),)})
    assert "pg/orders: the schema is not the one that the migrations make: 001-orders is not applied" in found


def test_a_tool_that_keeps_no_record_is_named(world: LiveWorld) -> None:
    assert check("drift", world, revisions={"pg/customers": ()}) == []
    assert any(isinstance(event, Noticed) and event.subject == "pg/customers" for event in world.events)


# -- ready ------------------------------------------------------------------------------------------------------------


def test_a_finished_one_shot_is_ready_and_what_does_not_run_is_not(world: LiveWorld) -> None:
    found = check("ready", world)
    assert [problem.subject for problem in found] == ["late", "once"]
    assert "was not started" in found[0].cause
    world.run_service("once", within=20, remedy="")
    world.start("late")
    assert check("ready", world) == []


@pytest.mark.parametrize(
    ("code", "ports", "told"),
    [(0, "[]", ""), (0, "['8000']", "it ended with code 0"), (3, "[]", "it ended with code 3")],
    ids=["nobody waits for it", "it serves", "it failed"],
)
def test_only_what_may_have_done_its_work_may_have_ended(tmp_path: Path, code: int, ports: str, told: str) -> None:
    (tmp_path / "compose.yaml").write_text(ENDS.replace("exit 3", f"exit {code}").replace("    x-", f"    expose: {ports}\n    x-"))
    with opened(read(tmp_path / "compose.yaml")) as live:
        live.deployment.start("worker")
        wait_for("worker", lambda: READY if live.look("worker", "completed").state != "not yet" else not_yet("it runs"), within=20)
        if told:
            with pytest.raises(EnvironmentFailed, match=f"worker: {told}"):
                check("ready", live)
        else:
            assert check("ready", live) == []


def test_another_process_finds_what_has_died_and_not_what_had_to_end(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(ENDS + WAITED)
    with opened(read(tmp_path / "compose.yaml")) as live:
        for name in ("worker", "first"):
            live.deployment.start(name)
            wait_for(name, lambda name=name: READY if live.look(name, "completed").state != "not yet" else not_yet("it runs"), within=20)
        runtime = RUNTIMES.get("local")
        assert isinstance(runtime, Rejoins)
        again = runtime.rejoin(live.run, live.stack, live.addresses, live.emit)
        assert again.look("first", "completed") == READY
        assert again.look("worker", "completed") == never("its process has ended", "no settings")


def test_a_store_whose_server_has_ended_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  cache: {image: 'redis:8'}\n")
    with opened(read(tmp_path / "compose.yaml"), "cache") as live:
        assert check("ready", live) == []
        with suppress(redis.ConnectionError):
            redis.Redis.from_url(live.target("cache").url()).shutdown(nosave=True)
        wait_for("cache", lambda: READY if live.look("cache", "completed").state != "not yet" else not_yet("it runs"), within=20)
        with pytest.raises(EnvironmentFailed, match="cache: it ended with code 0"):
            check("ready", live)


def test_a_service_that_has_ended_is_told_as_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(ENDS)
    with opened(read(tmp_path / "compose.yaml")) as live:
        live.deployment.start("worker")
        wait_for("worker", lambda: READY if live.look("worker", "healthy").state == "never" else not_yet("it runs"), within=20)
        with pytest.raises(EnvironmentFailed, match="worker: it ended with code 3") as failed:
            check("ready", live)
    assert failed.value.log == "no settings"
    assert "see what it says" in failed.value.problems[0].remedy


# -- expect -----------------------------------------------------------------------------------------------------------


def expect(kind: Any, **fields: Any) -> dict[str, Any]:
    return {"expectations": (Expectation(kind, HERE, within=0.1, **fields),)}


def query(sql: str, equals: Any, **parameters: Any) -> dict[str, Any]:
    return expect("query", store="pg/orders", query=sql, equals=equals, compares=True, parameters=parameters)


def test_expectations_are_looked_at_at_the_same_time(world: LiveWorld) -> None:
    """The first one holds because of what the second one does."""
    with psycopg.connect(world.target("pg/orders").url()) as connection:
        connection.execute("create table looked (id int)")
    both = [("select count(*) > 0 from looked", True), ("insert into looked values (1) returning id", 1)]
    wanted = [Expectation("query", HERE, within=20, store="pg/orders", query=sql, equals=value, compares=True) for sql, value in both]
    assert check("expect", world, expectations=tuple(wanted)) == []


@pytest.mark.parametrize(
    "good",
    [
        query("select count(*) from orders where status = :status", 20, status="new"),
        query("select total from orders where id = 1", 1),
        query("select placed_at from orders where id = 1", "2026-01-15T12:00:00Z"),
        query("select more from orders where id = 1", {"a": [1]}),
        query("select id, status from orders where id < 3 order by id", [[1, "new"], [2, "new"]]),
        query("select id from orders where id < 3 order by id", [1, 2]),
        query("select null", None),
        expect("http", service="web", path="/state.json", equals={"lines": [{"sku": "x"}]}, compares=True),
        expect("http", service="web", path="/nothing", status=404),
        expect("event", store="events", subject="orders.*", where={"kind": {"new": True}}, at_least=2),
        expect("key", store="cache", key="price", equals=19.9, compares=True),
        expect("key", store="cache", key="price", equals="19.90", compares=True),
        expect("key", store="cache", key="flags", equals={"on": True}, compares=True),
        expect("key", store="cache", key="doc", equals={"a": 1}, compares=True),
        expect("key", store="cache", key="doc"),
        expect("key", store="cache", key="none", exists=False),
        expect("stub", store="outside", where={"method": "post", "path": "/messages", "body": {"to": "ann"}}),
        expect("stub", store="outside", where={"query": {"a": 1}, "headers": {"X-Kind": "mail"}}, count=1),
        expect("stub", store="outside", at_least=2),
        expect("stub", store="outside", where={"path": "/nowhere"}, count=0),
    ],
)
def test_expectations_that_hold(world: LiveWorld, good: dict[str, Any]) -> None:
    assert check("expect", world, **good) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (query("select status from orders where id = 1", "paid"), 'expected "paid", last seen "new" (within 0.1 s)'),
        (query("select status from orders where id = 99", "paid"), "last seen no row"),
        (query("select id, status from orders where id < 3", "paid"), "last seen 2 rows"),
        (query("select stauts from orders", "paid"), 'last seen an error: column "stauts" does not exist'),
        (expect("http", service="web", path="/nothing"), "expected status 200, last seen status 404"),
        (expect("http", service="web", path="/state.json", equals={"status": "paid"}, compares=True), 'and {"status": "paid"} in the body'),
        (expect("event", store="events", subject="orders.placed", where={"id": 3}), 'last seen 0 such of 2 messages, the latest {"id": 2'),
        (
            expect("event", store="events", subject="orders.told", where={"id": 3}),
            r'last seen 0 such of 1 messages, the latest "{\"id\": 3}"',
        ),
        (expect("event", store="events", subject="orders.placed", at_least=3), "expected 3 messages, last seen 2 such of 2 messages"),
        (expect("key", store="cache", key="none"), "expected the key to exist, last seen no such key"),
        (expect("key", store="cache", key="price", exists=False), 'expected no such key, last seen "19.90"'),
        (expect("key", store="cache", key="price", equals=20, compares=True), 'expected 20, last seen "19.90"'),
        (expect("query", store="cache", query="select 1", compares=True), "a redis store, which answers no queries"),
        (expect("key", store="events", key="a"), "a nats store, which holds no keys"),
        (expect("event", store="cache", subject="a"), "a redis store, which holds no messages"),
        (
            expect("stub", store="outside", where={"body": {"to": "bob"}}),
            'last seen 0 such of 2 calls, the latest GET /other?a=1 with "", which no mapping matched',
        ),
        (expect("stub", store="outside", where={"path": "/messages"}, count=2), "expected exactly 2 calls with"),
        (expect("stub", store="cache"), "a redis store, which receives no calls"),
    ],
)
def test_an_expectation_that_does_not_hold_says_what_was_seen(world: LiveWorld, bad: dict[str, Any], message: str) -> None:
    found = one("expect", world, **bad)
    assert message in found
    assert found.startswith("scenario.yaml:7: ")


def test_an_exact_number_of_calls_is_told_once_nobody_has_more_to_send(world: LiveWorld) -> None:
    wanted = expect("stub", store="outside", where={"path": "/messages"}, count=1)
    with psycopg.connect(world.target("pg/orders").url()) as connection:
        connection.execute("create table unsent (id int)")
    assert "last seen that not all is done: pg/orders: " in one("expect", world, **wanted)
    with psycopg.connect(world.target("pg/orders").url()) as connection:
        connection.execute("drop table unsent")
    assert check("expect", world, **wanted) == []


def test_how_long_an_expectation_was_waited_for_is_told(world: LiveWorld) -> None:
    def waited(**fitness: Any) -> Waited:
        before = len(world.events)
        check("expect", world, **fitness)
        (told,) = world.events[before:]
        assert isinstance(told, Waited)
        return told

    there = waited(**expect("key", store="cache", key="doc"))
    assert (there.subject, there.ending, there.limit, there.looks) == ("cache: key doc", "there", 0.1, 1)
    late = waited(**expect("key", store="cache", key="price", exists=False))
    assert (late.ending, [one["shown"] for one in late.seen]) == ("late", ['"19.90"'])
    assert waited(**expect("key", store="events", key="a")).ending == "broken"


def test_a_query_that_can_never_run_is_not_waited_for(world: LiveWorld) -> None:
    begun = time.monotonic()
    wrong = Expectation("query", HERE, "pg/orders", query="select * from nots", equals="first", compares=True, within=60)
    found = one("expect", world, expectations=(wrong,))
    assert time.monotonic() - begun < 30
    assert 'last seen an error: relation "nots" does not exist in `select * from nots`\n' in found
    assert found.endswith("-> correct the expectation")


def test_an_expectation_may_come_true_within_its_time(world: LiveWorld) -> None:
    with psycopg.connect(world.target("pg/orders").url()) as connection:
        connection.execute("create sequence looks")
    counting = Expectation("query", HERE, "pg/orders", query="select nextval('looks') >= 3", equals=True, compares=True, within=5)
    assert check("expect", world, expectations=(counting,)) == []
