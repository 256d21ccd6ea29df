"""What a generator is given to work with: clients of services and stores, values that are the same each time, and a way to wait."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from seeder.capability import Asked, Write
from seeder.errors import DefinitionError, UsageError, nearest
from seeder.eventual import TRUE, answered
from seeder.protocols import World
from seeder.sql import Sql
from seeder.stub import Stub
from seeder.tried import SAFE

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
        self._requests = self._mappings = 0
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

    def http(self, service: str) -> httpx.Client:
        """A client of the service: base address, authentication as the stack declares it, time limits. Where the capability has a key,
        each request that may change something carries an Idempotency-Key, the same at every try."""
        return self.hear(self._world.client(self._known(service, self._world.stack.services, "service")))

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
            self._writes.append(Write(f"a mapping of {store}"))
            return self.unique(f"{store}-{self._mappings}")

        return Stub(target, named)

    def url(self, store: str, driver: str | None = None) -> str:
        """Where the store is reached, with its credentials; `scheme+driver` where a driver is named."""
        target = self._world.target(self._known(store, self._world.stack.stores, "store"))
        self._writes.append(Write(f"whatever it sent to {store}"))
        return target.url(driver)

    def unique(self, name: str) -> str:
        """`name-` and ten letters and digits, which no other step, place or name of this environment gives: a function of seed, scenario,
        step and name, the same where other scenarios use that one. In a system that others use, too, it begins with the run's mark."""
        digest = hashlib.sha256("\0".join([str(self.seed), self._drawn, name]).encode()).digest()
        made = f"{name}-{base64.b32encode(digest).decode().lower()[:10]}"
        return f"{self.mark}-{made}" if self.mark else made

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
        if name in known:
            return name
        if why := self._world.stack.absent.get(name.split("/", maxsplit=1)[0]):
            raise UsageError(name, f"is not part of this run: {why}", "let it take part: --services and --profile say what does")
        raise UsageError(name, f"the stack has no such {what}", nearest(name, sorted(known)))
