"""What a generator is given to work with: clients of services and stores, values that are the same each time, and a way to wait."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from seeder.definition.request import taking_part
from seeder.errors import DefinitionError, UsageError
from seeder.handles import matching
from seeder.handles.caching import Cache
from seeder.handles.eventual import TRUE, answered
from seeder.handles.sql import Sql
from seeder.handles.stub import Stub
from seeder.passed.capability import Asked, Write, unique
from seeder.passed.content import Post, encoded
from seeder.protocols import Caches, Publishes, Streams, World
from seeder.steps import sequence
from seeder.steps.tried import SAFE

if TYPE_CHECKING:
    import httpx
    from faker import Faker

_SHOWN = 60  # characters of a statement in a message


class Context:
    """One call of one generator. `step` says for what: the step's name, with its place where it is one of many (`products[1]`). What may
    have changed something is written down in the call."""

    def __init__(self, world: World, call: Asked, *, key: str | None = None) -> None:
        self._world, self._key, self._writes = world, key, call.writes
        self._clients = ExitStack()
        self._requests = self._messages = self._mappings = 0
        self.step = call.step
        self._drawn = call.key or call.step
        self.index = call.index

    @property
    def as_of(self) -> datetime.datetime:
        """The reference time of all data."""
        return self._world.run.as_of

    @property
    def seed(self) -> int:
        return self._world.run.seed

    @property
    def mark(self) -> str:
        """What tells things of this run from those of others in a system that they share; empty where it has one of its own."""
        return self._world.run.mark

    def http(self, service: str, *, fresh: bool = False) -> httpx.Client:
        """A client of the service: base address, authentication as the stack declares it, time limits. Where the capability has a key,
        each request that may change something carries an Idempotency-Key, the same at every try. `fresh`: its requests ask past
        caches, by the headers that the stack declares for it."""
        client = self._world.client(self._known(service, self._world.stack.services, "service"))
        client.headers.update(self._world.stack.services[service].x.cache.headers if fresh else {})
        return self.hear(client)

    def hear(self, client: httpx.Client) -> httpx.Client:
        """The client, which is closed with the context: what it sends is written down, and carries the key where there is one."""
        client.event_hooks["request"].append(self._sent)
        client.event_hooks["response"].append(self._answered)
        return self._clients.enter_context(client)

    def sql(self, store: str) -> Sql:
        """A store that answers SQL; each statement is committed by itself."""
        target = self._world.target(self._known(store, self._world.stack.stores, "store"))
        return Sql(target, lambda statement: self._writes.append(Write(" ".join(statement.split())[:_SHOWN])))

    def stub(self, store: str) -> Stub:
        """A stub. A mapping that it is told gets the same id at every try, so that it is there once."""
        target = self._world.target(self._known(store, self._world.stack.stores, "store"))

        def named() -> str:
            self._mappings += 1
            return self.unique(f"{store}-{self._mappings}")

        return Stub(target, named, lambda what: self._writes.append(Write(what)))

    def url(self, store: str, driver: str | None = None) -> str:
        """Where the store is reached, with its credentials; `scheme+driver` where a driver is named."""
        target = self._world.target(self._known(store, self._world.stack.stores, "store"))
        self._writes.append(Write(f"whatever it sent to {store}"))
        return target.url(driver)

    def unique(self, name: str) -> str:
        """`name-` and ten letters and digits, which no other step, place or name of this environment gives: a function of seed, scenario,
        step and name, the same where other scenarios use that one. In a system that others use, too, it begins with the run's mark."""
        return unique(self.seed, self._drawn, name, self.mark)

    @property
    def draw(self) -> int:
        """A number (64 bits) to seed random generators with, alike for this seed, scenario and step."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}\0{self._drawn}".encode()).digest()[:8], "big")

    @cached_property
    def fake(self) -> Faker:
        """Faker (en_US), which begins alike for this seed, scenario and step, whatever others do."""
        try:
            from faker import Faker
        except ModuleNotFoundError as error:
            raise DefinitionError("ctx.fake", f"needs the package {error.name}", "pip install 'seeder-env[generators]'") from error
        made = Faker("en_US")
        made.seed_instance(self.draw)
        return made

    def eventually(self, condition: Callable[[], Any], within: str | float = "5s", *, until: Any = TRUE, meanwhile: Any = None) -> Any:
        """Ask until the answer is true, or what `until` says: a value, a part of a mapping, a function of the answer; and give it. With
        `meanwhile` every answer before it must be one of these values, have one of these in a field (`{"status": ["draft"]}`), or please
        this function. Raises EnvironmentFailed with all answers and their times when the time is over, or another one came."""
        return answered(f"{self.step}: the condition", condition, self._world.emit, within=within, until=until, meanwhile=meanwhile)

    def cache(self, store: str | None = None) -> Cache:
        """The keys of a cache: to look at, to remove, to end as if their time were over. `store` may be left out where one is a cache."""
        target = self._world.target(self._holding(store, Caches, "holds keys that end by themselves"))
        return Cache(target, lambda what: self._writes.append(Write(what)))

    def publish(self, subject: str, payload: Any = None, *, store: str | None = None, headers: Mapping[str, str] | None = None) -> str:
        """Publish a message, after those before it, and answer its id: the same at every try, so that the broker leaves out what it has
        already. The payload is a pydantic model, a dataclass, JSON values or text. `store` may be left out where one takes messages."""
        from pydantic_core import to_jsonable_python

        self._messages += 1
        post = Post(self.unique(f"{subject}-{self._messages}"), subject, headers or {}, encoded(to_jsonable_python(payload)))
        self._writes.append(Write(f"a message to {subject}"))
        sequence.publish(self._world, self._holding(store, Publishes, "takes messages"), [post])
        return post.id

    def wait(self, subject: str, where: Mapping[str, Any] | None = None, *, store: str | None = None, within: str | float = "5s") -> Any:
        """The payload of the first message of the subject that holds `where`, once there is one. Consumers of services notice nothing of
        it. Raises EnvironmentFailed when the time is over."""
        name = self._holding(store, Streams, "holds messages")
        engine = self._world.engine(name)

        def found() -> list[Any]:
            messages = engine.messages(self._world.target(name), subject) if isinstance(engine, Streams) else []
            return [one.payload for one in messages if matching.within(dict(where or {}), one.payload)]

        return self.eventually(found, within)[0]

    def _holding(self, store: str | None, kind: type, does: str) -> str:
        """The store that is named, or the only one that does it."""
        if store is not None:
            return self._known(store, self._world.stack.stores, "store")
        able = [name for name in sorted(self._world.stack.stores) if isinstance(self._world.engine(name), kind)]
        if len(able) != 1:
            raise UsageError("store", f"{', '.join(able) or 'no store'} {does}", "name one: store=..." if able else "add one to the stack")
        return able[0]

    def close(self) -> None:
        self._clients.close()

    def _sent(self, request: httpx.Request) -> None:
        """Before each request: one that may change something is written down, and carries the key where there is one."""
        if request.method in SAFE:
            return
        self._writes.append(Write(f"{request.method} {request.url.path}", request))
        if self._key and "Idempotency-Key" not in request.headers:
            self._requests += 1
            request.headers["Idempotency-Key"] = f"{self.unique(self._key)}-{self._requests}"

    def _answered(self, response: httpx.Response) -> None:
        """What was refused changed nothing."""
        if response.is_client_error:
            self._writes[:] = [one for one in self._writes if one.by is not response.request]

    def _known(self, name: str, known: Any, what: str) -> str:
        return taking_part(self._world.stack, known, name, what)
