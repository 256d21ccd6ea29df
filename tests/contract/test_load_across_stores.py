"""A dataset for several stores is in all of them or in none, whichever of them refuses it, and as late as it can."""

from __future__ import annotations

import asyncio
import datetime
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import nats
import psycopg
import pytest

from seeder import warden
from seeder.definition.request import Request, find_project, resolve
from seeder.engines import _redis_client
from seeder.environment import Environment, identify, open_environment
from seeder.errors import SeederError
from seeder.events import Event, Noticed
from seeder.plan import choose, make
from seeder.registry import traits
from seeder.stages import load, up
from seeder.wait import READY, not_yet, wait_for
from tests.fakes.world import check_swept

MANIFEST = """
seeder: "1"
project: several
stacks: {several: {compose: compose.yaml, version: "1"}}
datasets: [{name: all, kind: reference, version: "1", path: data}]
"""
# Two databases, a cache and a broker; the names put the stores that are made last first.
COMPOSE = """
services:
  a-db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: app, POSTGRES_DB: orders}
    x-seeder: {databases: {orders: {}, audit: {}}}
  cache: {image: "redis:8"}
  events: {image: "nats:2", command: ["-js"]}
"""
TABLE = "drop table if exists notes; create table notes (id int primary key); insert into notes values (1)"
LATE = """
create or replace function late() returns trigger language plpgsql as $$ begin raise 'too late for %', new.id; end $$;
create constraint trigger late after insert on notes deferrable initially deferred for each row execute function late();
"""
DATABASES = ("a-db/orders", "a-db/audit")


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, told: list[Event]) -> Iterator[Environment]:
    """The servers, up; the dataset has a row, a key and two messages."""
    folder = tmp_path_factory.mktemp("several")
    files = {
        "manifest.yaml": MANIFEST,
        "compose.yaml": COMPOSE,
        "data/a-db/orders/notes.csv": "id\n2\n",
        "data/a-db/audit/notes.csv": "id\n2\n",
        "data/cache/keys.jsonl": '{"key": "old", "value": "new"}\n{"key": "price", "value": "9"}\n',
        "data/events/orders.jsonl": "".join(json.dumps({"subject": "orders.placed", "payload": number}) + "\n" for number in (2, 3)),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    plan = make(resolve(find_project(folder), Request(), traits()), *choose("local"), datetime.datetime.now(datetime.UTC))
    with ExitStack() as undo:
        run = identify(plan, datetime.timedelta(minutes=10))
        undo.callback(lambda: check_swept(warden.sweep(run.id, "local").left))
        opened = open_environment(run, plan, undo, told.append)
        up.prepare(opened, plan)
        up.servers(opened, plan)
        yield opened


@pytest.fixture
def before(environment: Environment) -> dict[str, str]:
    """What the stores hold before the load: a row, a key that the dataset replaces, a message."""
    for store in DATABASES:
        sql(environment, store, TABLE)
    with _redis_client.connect(environment.target("cache")) as client:
        client.flushall()
        client.set("old", "as it was")
    asyncio.run(stream(environment))
    return digests(environment)


async def stream(environment: Environment, **config: Any) -> None:
    client = await nats.connect(environment.target("events").url())
    context = client.jetstream()
    if not config:
        for found in await context.streams_info():
            await context.delete_stream(found.config.name or "")
        await context.add_stream(name="ORDERS", subjects=["orders.>"])
        await context.publish("orders.placed", b"1")
    else:
        await context.update_stream(name="ORDERS", subjects=["orders.>"], **config)
    await client.close()


def sql(environment: Environment, store: str, statement: str) -> None:
    with psycopg.connect(environment.target(store).url(), autocommit=True) as connection:
        connection.execute(statement)


def digests(environment: Environment) -> dict[str, str]:
    stores = environment.stack.stores
    return {store: environment.engine(store).digest(environment.target(store), ()).digest for store in stores}  # type: ignore[attr-defined]


def late_in(store: str) -> Callable[[Environment], None]:
    """A trigger that waits for the end of the transaction refuses the row."""
    return lambda environment: sql(environment, store, LATE)


def broker_is_full(environment: Environment) -> None:
    """The second message is one too many."""
    asyncio.run(stream(environment, max_msgs=2, discard=nats.js.api.DiscardPolicy.NEW))


@contextmanager
def no_memory(environment: Environment) -> Iterator[None]:
    with _redis_client.connect(environment.target("cache")) as client:
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)


def test_what_nothing_refuses_is_in_all_stores(environment: Environment, before: dict[str, str]) -> None:
    load.at_rest(environment, environment.plan)
    after = digests(environment)
    assert [store for store in before if before[store] == after[store]] == []
    load.at_rest(environment, environment.plan)
    assert digests(environment) == after


@pytest.mark.parametrize(
    ("spoil", "told_as"),
    [
        (late_in("a-db/orders"), "too late for 2"),
        (late_in("a-db/audit"), "too late for 2"),
        (broker_is_full, "orders.jsonl:2: events: orders.placed: maximum messages exceeded"),
    ],
)
def test_what_one_store_refuses_at_its_end_is_in_none(
    environment: Environment, before: dict[str, str], spoil: Callable[[Environment], None], told_as: str
) -> None:
    spoil(environment)
    spoiled = digests(environment)
    with pytest.raises(SeederError, match=told_as):
        load.at_rest(environment, environment.plan)
    assert digests(environment) == spoiled


def test_what_the_cache_has_no_memory_for_is_in_no_store(environment: Environment, before: dict[str, str]) -> None:
    with no_memory(environment), pytest.raises(SeederError, match=r"cache: redis at .* used memory > 'maxmemory'"):
        load.at_rest(environment, environment.plan)
    assert digests(environment) == before


def test_when_a_database_is_lost_at_the_very_end_the_others_take_back_what_they_have(
    environment: Environment, before: dict[str, str], told: list[Event]
) -> None:
    """The cache is held up at its commit, when all is verified; meanwhile the databases lose their clients."""
    with _redis_client.connect(environment.target("cache")) as client:
        client.client_pause(60_000, all=False)  # writes wait, questions do not
        failed: list[BaseException] = []
        loading = threading.Thread(target=lambda: failed.append(failure(environment)))
        loading.start()
        wait_for("the commit of the cache", lambda: READY if held_up(client) else not_yet("nobody waits"), within=30)
        for store in DATABASES:
            sql(environment, store, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'seeder'")
        client.client_unpause()
        loading.join(60)
    assert "a-db/audit: the database did not go on: terminating connection" in str(failed[0])
    assert digests(environment) == before
    assert [event for event in told if isinstance(event, Noticed)] == []


def failure(environment: Environment) -> BaseException:
    with pytest.raises(SeederError) as failed:
        load.at_rest(environment, environment.plan)
    return failed.value


def held_up(client: Any) -> bool:
    return any("b" in entry["flags"] for entry in client.client_list())


def test_what_a_lost_store_cannot_take_back_is_said(environment: Environment, before: dict[str, str], told: list[Event]) -> None:
    """A stream that lets nothing be deleted refuses its second message when it holds the first."""
    asyncio.run(stream(environment, max_msgs=2, discard=nats.js.api.DiscardPolicy.NEW, deny_delete=True))
    spoiled = digests(environment)
    with pytest.raises(SeederError, match="maximum messages exceeded"):
        load.at_rest(environment, environment.plan)
    now = digests(environment)
    assert {store for store in now if now[store] != spoiled[store]} == {"events"}
    (said,) = [event for event in told if isinstance(event, Noticed)]
    assert said.subject == "events"
    assert "could not be taken back" in said.message
