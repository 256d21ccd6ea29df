"""A shared system as a run sees it: its services are looked at, its stores asked, and that is all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from seeder import environment
from seeder.definition.service import Condition
from seeder.definition.stack import Shared, Stack
from seeder.errors import EnvironmentFailed, in_words
from seeder.events import Emit
from seeder.machine.process import Completed
from seeder.passed.run import Run, Task
from seeder.passed.target import Address, Target
from seeder.protocols import Engine
from seeder.registry import ENGINES, traits
from seeder.runtimes import _healthcheck
from seeder.wait import READY, Verdict, not_yet

if TYPE_CHECKING:
    import httpx


class AttachedDeployment:
    """Satisfies `protocols.World` as well: whoever takes back what a run made needs no more than how the system is reached."""

    def __init__(self, run: Run, stack: Stack, emit: Emit) -> None:
        if stack.shared is None:
            raise EnvironmentFailed(run.id, "nobody said which system to attach to", "add --target NAME")
        self.run, self.stack, self.emit = run, stack, emit
        self.shared: Shared = stack.shared
        self._clients: dict[str, httpx.Client] = {}
        self._lock = threading.Lock()
        self.exit = ExitStack()

    # -- a deployment -------------------------------------------------------------------------------------------------

    def prepare(self, images: Mapping[str, str], states: Mapping[str, str] | None = None) -> Mapping[tuple[str, int], Address]:  # noqa: ARG002  (it stands)
        services = {(name, self._port(name)): _address(name, url) for name, url in self.shared.urls.items()}
        stores = {name: self.target(name).address for name in self.shared.stores}
        return services | {(self.stack.stores[name].service, address.port): address for name, address in stores.items()}

    def _port(self, service: str) -> int:
        own = self.stack.services[service]
        written = [*(port.target for port in own.ports), *own.expose]
        return written[0] if written else _address(service, self.shared.urls[service]).port

    def start(self, service: str) -> None:
        self._refuse(service, "started")

    def look(self, service: str, condition: Condition) -> Verdict:
        """Healthy: it answers as its `ready` says, else at its port. That it goes on is all that is known beside that."""
        if condition == "completed":
            return not_yet("it goes on")
        if condition == "started" or service not in self.shared.urls:
            return READY
        return self._answers(service)

    def _answers(self, service: str) -> Verdict:
        import httpx

        ready = self.stack.services[service].x.ready
        if ready is None or ready.http is None:
            return _healthcheck.connect(_address(service, self.shared.urls[service]))
        try:
            status = self.http(service).get(ready.http).status_code
        except httpx.TransportError as error:
            at = _address(service, self.shared.urls[service])  # the whole URL may hold a password
            return not_yet(f"{at} does not answer: {in_words(error)}")
        return READY if status < _healthcheck.BAD else not_yet(f"GET {ready.http} answers {status}")

    def execute(self, task: Task) -> Completed:
        self._refuse(task.label, "run beside")

    def run_service(self, name: str, *, within: float, remedy: str) -> None:  # noqa: ARG002  (nothing is run)
        self._refuse(name, "started")

    def logs(self, service: str, lines: int | None = None) -> str:  # noqa: ARG002  (there are none here)
        cause = f"runs in target {self.shared.name}, and its log is there, not here"
        raise EnvironmentFailed(service, cause, "look where that system keeps its logs")

    def _refuse(self, what: str, how: str) -> NoReturn:
        raise EnvironmentFailed(what, f"target {self.shared.name} is shared: nothing of it is {how}", "use a runtime that starts the stack")

    # -- a world ------------------------------------------------------------------------------------------------------

    def target(self, store: str) -> Target:
        engine = self._engine(store)
        return Target.at(store, engine, self.shared.stores[store], traits()[engine].port)

    def engine(self, store: str) -> Engine:
        return ENGINES.get(self._engine(store))

    def _engine(self, store: str) -> str:
        if store not in self.stack.stores:  # the files may have changed since the run began
            raise EnvironmentFailed(store, f"stack {self.stack.name} has no such store any more", "bring it back into the stack")
        return self.stack.stores[store].engine

    def http(self, service: str) -> httpx.Client:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.exit.enter_context(self.client(service))
            return self._clients[service]

    def client(self, service: str) -> httpx.Client:
        return environment.client(self.reach(service), self.credentials(service))

    def reach(self, name: str, reader: str | None = None) -> str:  # noqa: ARG002  (as the target declares it, whoever asks)
        return self.target(name).url() if name in self.stack.stores else self.shared.urls[name]

    def credentials(self, service: str) -> Mapping[str, str]:
        return environment.credentials(self.stack, service, self.run.mark)

    def variables(self) -> dict[str, str]:
        return {}


def _address(name: str, url: str) -> Address:
    try:
        return Address.of(url)
    except ValueError as error:
        raise EnvironmentFailed(name, f"its address in the target {error}", "write it as scheme://host:port") from None
