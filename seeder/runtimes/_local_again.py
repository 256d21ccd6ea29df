"""A local stack that another process started: looked at through its ports, logs and the processes that write them."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from seeder.definition.service import Condition
from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed
from seeder.events import Emit
from seeder.machine import living
from seeder.passed.run import Run
from seeder.passed.target import Address
from seeder.runtimes import _local_service, _local_started
from seeder.runtimes._local_deployment import LocalDeployment
from seeder.wait import LAST_LINES, READY, Verdict, never, not_yet


class Again(LocalDeployment):
    """Reserves no ports, and takes services as they are; one may be started anew, as it was started first."""

    def __init__(self, run: Run, stack: Stack, emit: Emit, addresses: Mapping[tuple[str, int], Address]) -> None:
        super().__init__(run, stack, emit, addresses)
        for name, service in stack.services.items():
            self._services[name] = _local_service.server_invocation(service, stack, run, self._hosts, self._own(name))

    def prepare(self, images: Mapping[str, str], states: Mapping[str, str] | None = None) -> Mapping[tuple[str, int], Address]:  # noqa: ARG002  (it stands)
        return self.addresses

    def start(self, service: str) -> None:
        """As it was started first."""
        how = self._first(service)
        if not living.writes(self._log(service)):
            self._begin(service, how)

    def stop(self, service: str) -> None:
        self._first(service)  # who cannot be started again is not stopped
        self._signal(service, signal.SIGTERM)
        self._await_end(service)
        self._signal(service, signal.SIGKILL)
        self._await_end(service)

    def _first(self, service: str) -> _local_started.Started:
        found = _local_started.read(self._how(service))
        if found is None:
            raise EnvironmentFailed(service, "belongs to another process's run and cannot be started here", "start a new environment")
        return found

    def _signal(self, service: str, number: signal.Signals) -> None:
        living.tell(self._log(service), number)

    def look(self, service: str, condition: Condition) -> Verdict:
        alive = living.writes(self._log(service))
        if not alive:
            waited_for = condition == "completed" and service in self.stack.one_shots  # one that fails ends its run: this one went well
            return READY if waited_for else never("its process has ended", self.logs(service, LAST_LINES))
        if condition == "completed":
            return not_yet("it still runs")
        return self._healthy(service) if condition == "healthy" else READY
