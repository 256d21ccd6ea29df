"""Whatever is done to the five databases of the shop, its cache and its streams, while its services run: a reset brings all of it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis
from hypothesis import note
from hypothesis import strategies as st

import seeder
from seeder.engines import _nats_client, _redis_client
from seeder.engines._nats_client import Link
from seeder.engines._postgres_connection import connect
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from seeder.session import Session
from tests.conftest import copied_shop
from tests.contract.rewind_examples import EXAMPLES, rounds, seeing, tell
from tests.contract.test_rewind_postgres_any import ROWS, SCHEMAS, refusals
from tests.contract.test_rewind_redis import COMMANDS, NAMES
from tests.scenarios.failing import change

DATABASES = ("customers-db", "catalog-db", "orders-db", "billing-db", "delivery-db")
KINDS = {**dict.fromkeys(DATABASES, "sql"), "cache": "keys", "events": "streams"}
ROUNDS = max(2, EXAMPLES // 5)
# Not the outbox: what a service has read of it and is about to publish it keeps in its memory, which no reset of stores takes back.
TABLES = "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace >= 2200 and relname <> 'outbox' order by oid"

NUMBERS = st.integers(1, 30)
STATEMENTS = st.tuples(
    st.sampled_from(DATABASES),
    st.integers(0, 1),
    st.one_of(
        *[st.sampled_from(ROWS)] * 8, st.sampled_from(SCHEMAS), st.just("copy {t} to '/dev/null'"), st.just("copy {t} from program 'true'")
    ),
    NUMBERS,
)
STREAMS = st.sampled_from(["orders", "payments", "deliveries", "NEW"])
REQUESTS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(["orders.tested", "payments.tested", "deliveries.tested", "new.b"]), st.none()),
    st.tuples(st.just("MSG.DELETE"), STREAMS, st.builds(dict, seq=NUMBERS)),
    st.tuples(st.just("PURGE"), STREAMS, st.none() | st.builds(dict, keep=NUMBERS)),
    st.tuples(st.just("DELETE"), STREAMS, st.none()),
    st.tuples(st.just("CREATE"), STREAMS, st.builds(dict, subjects=st.just(["new.*"]))),
    st.tuples(st.just("UPDATE"), STREAMS, st.builds(dict, subjects=st.just(["orders.tested"]), max_msgs=NUMBERS)),
)
DONE = st.one_of(
    *[st.tuples(st.just("sql"), STATEMENTS)] * 3, st.tuples(st.just("keys"), COMMANDS), st.tuples(st.just("streams"), REQUESTS)
)


class Shop:
    """The shop as it was handed over, and who works in it: two clients of each database, one of the cache, one of the broker."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.services = session.running()
        self._clients: dict[tuple[str, int], Any] = {}
        with _redis_client.connect(self.target("cache")) as client:
            self._keys = sorted(key.decode() for key in client.scan_iter())[:5]

    def target(self, store: str) -> Target:
        return self.session._environment.target(store)

    def sql(self, database: str, who: int, statement: str, number: int) -> None:
        """What the database refuses is not done; what is committed is, and what is left open stays open."""
        with refusals(self._clients, (database, who), lambda: connect(self.target(database), autocommit=True)) as client:
            if "{t}" in statement:
                found = [name for (name,) in client.execute(TABLES).fetchall()]
                statement = statement.replace("{t}", found[number % len(found)])
            statement = statement.replace("{n}", str(number))
            note(f"{database} {who}: {statement}")
            client.execute(statement)

    def keys(self, *words: str) -> None:
        given = [self._known(word) for word in words]
        note(f"cache: {given}")
        with _redis_client.connect(self.target("cache")) as client, suppress(redis.ResponseError):
            client.execute_command(*given)

    def _known(self, word: str) -> str:
        """Half of the names are of keys that are there."""
        place = NAMES.elements.index(word) if word in NAMES.elements else len(self._keys)  # type: ignore[attr-defined]
        return self._keys[place] if place < len(self._keys) else word

    def streams(self, what: str, name: str, about: Any) -> None:
        note(f"events: {what} {name} {about}")

        async def work(link: Link) -> None:
            if what == "publish":
                with suppress(EnvironmentFailed):  # no stream takes it
                    await link.publish(name, {}, b"payload")
            else:
                await link.attempt(f"STREAM.{what}.{name}", {"name": name, **about} if what in {"CREATE", "UPDATE"} else about)

        _nats_client.run(self.target("events"), work)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Its databases take prepared transactions, too."""
    folder = copied_shop(tmp_path_factory.mktemp("shop"))
    image = "x-database: &database\n  image: postgres:17\n"
    change(folder, "stacks/shop/compose.yaml", image, f'{image}  command: ["postgres", "-c", "max_prepared_transactions=10"]\n')
    with seeder.up("shop", scenario="checkout-ready", runtime=request.param, project=folder, cache=False) as session:
        found = Shop(session)
        yield found
        found.close()


@pytest.fixture
def seen() -> Iterator[set[str]]:
    with seeing(*KINDS.values(), examples=ROUNDS) as found:
        yield found


@rounds(DONE, most=20, examples=ROUNDS)
def test_the_shop_comes_back_whatever_was_done(shop: Shop, seen: set[str], items: list[tuple[str, tuple[Any, ...]]]) -> None:
    tell()
    for what, given in items:
        getattr(shop, what)(*given)
    for store, found in shop.session.reset().items():
        note(f"{store}: {found}")
        seen.update({KINDS[store]} if store in KINDS and found.way != "untouched" else ())
    assert shop.session.digests() == shop.session.seeded
    assert shop.session.running() == shop.services
