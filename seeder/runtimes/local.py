"""The same stack as processes of this machine: embedded engines, and services by their local command.

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from seeder.definition.dataset import Part
from seeder.definition.service import Service
from seeder.definition.stack import Stack
from seeder.errors import Problem
from seeder.passed.notice import Diagnosis, Notice
from seeder.passed.run import NO_ADDITIONS, Addition, Run, Swept
from seeder.passed.target import Address
from seeder.runtimes import _local_survey

if TYPE_CHECKING:
    from seeder.events import Emit
    from seeder.runtimes._local_deployment import LocalDeployment

HOST = "127.0.0.1"


class Local:
    """Needs no daemon and no rights; owns nothing but processes, reserved ports and the run's folder."""

    name = "local"

    def __init__(self) -> None:
        self._open: dict[str, LocalDeployment] = {}

    def available(self) -> Problem | None:
        if sys.platform == "win32":
            return Problem("local", "the local runtime runs on Linux and macOS", "use --runtime docker, or WSL")
        return None

    def survey(self, stack: Stack, images: Collection[str] = ()) -> Sequence[Notice]:
        return tuple(_local_survey.survey(stack, images))

    def beyond(self, stack: Stack, parts: Iterable[Part]) -> Iterable[Problem]:
        return _local_survey.beyond(stack, parts)

    def open(
        self, run: Run, stack: Stack, emit: Emit, additions: Mapping[str, Addition] = NO_ADDITIONS, *, isolate_binds: bool = False
    ) -> LocalDeployment:
        from seeder.runtimes._local_deployment import LocalDeployment

        (run.folder / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        deployment = LocalDeployment(run, stack, emit, _reserved(run, stack), additions, isolate_binds=isolate_binds)
        self._open[run.id] = deployment
        return deployment

    def rejoin(self, run: Run, stack: Stack, addresses: Mapping[tuple[str, int], Address], emit: Emit) -> LocalDeployment:
        from seeder.runtimes._local_again import Again

        return Again(run, stack, emit, addresses)

    def form(self, service: Service, engine: str, image: str | None) -> tuple[str, str] | None:
        """The data folder of a stopped server is its state, for servers of the same build."""
        from seeder.runtimes import _local_engine

        launch = _local_engine.launch(service, engine, image)
        return (f"folder-{_local_engine.build(launch)}", "directory") if launch.keeps else None

    def built(self) -> Mapping[str, datetime.datetime]:
        from seeder.runtimes import _local_kept

        return _local_kept.used()

    def forget(self, built: str) -> None:
        from seeder.runtimes import _local_kept

        _local_kept.forget(built)

    def diagnose(self) -> Iterable[Diagnosis]:
        from seeder.runtimes import _local_diagnosis

        return _local_diagnosis.diagnose()

    def sweep(self, run: str) -> Swept:
        from seeder.runtimes import _ports

        if deployment := self._open.pop(run, None):
            deployment.reap()
        return Swept(tuple(f"port {port}" for port in _ports.release(run)))

    def owners(self) -> Mapping[str, datetime.datetime | None]:
        from seeder import owner

        return {claim.run: claim.expires for claim in owner.claims() if claim.runtime == self.name}


def _reserved(run: Run, stack: Stack) -> dict[tuple[str, int], Address]:
    """A number of its own for every port of every service."""
    from seeder.runtimes import _ports

    wanted = [(name, port) for name, service in stack.services.items() for port in _local_survey.all_ports(stack, service)]
    return {key: Address(HOST, number) for key, number in zip(wanted, _ports.reserve(run.id, len(wanted)), strict=True)}
