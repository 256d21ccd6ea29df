"""The docker runtime: one compose project per run, made from one resolved model, started by seeder in its own order.

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from seeder.definition.service import Service
from seeder.definition.stack import Stack
from seeder.docker_engine.endpoint import Endpoint, endpoint
from seeder.errors import Problem, SeederError
from seeder.passed.notice import Diagnosis, Notice
from seeder.passed.run import EXPIRES, NO_ADDITIONS, RUN, Addition, Place, Run, Swept
from seeder.passed.target import Address
from seeder.runtimes import _docker_compose, _docker_survey

if TYPE_CHECKING:
    from seeder.docker_engine.api import Daemon
    from seeder.events import Emit
    from seeder.runtimes._docker_containers import Containers


class Docker:
    """Containers of the engine that the docker command talks to (DOCKER_HOST, or the current context)."""

    name = "docker"

    def __init__(self) -> None:
        self._daemons: dict[Endpoint, Daemon] = {}

    @property
    def _daemon(self) -> Daemon:
        from seeder.docker_engine.api import Daemon

        return self._daemons.setdefault(at := endpoint(), Daemon(at))

    def available(self) -> Problem | None:
        """Looks at the docker command, its compose plugin, the SDK and the engine."""
        try:
            problem = _docker_compose.problem()
            if problem is None and (find_spec("docker") is None or endpoint().version() is None):
                self._daemon.ping()
        except SeederError as error:
            return error.problems[0]
        return problem

    def survey(self, stack: Stack, images: Collection[str] = ()) -> Sequence[Notice]:
        at = endpoint()
        data = {name: launch.data for name, launch in _docker_survey.launches(stack).items()}
        own = (at.url or "").removeprefix("unix://")
        sockets = (*_docker_survey.LISTENING, own) if own.startswith("/") else _docker_survey.LISTENING
        return _docker_survey.notices(stack, data, (at.host, at.listens) if at.remote else None, sockets, images)

    def open(
        self, run: Run, stack: Stack, emit: Emit, additions: Mapping[str, Addition] = NO_ADDITIONS, *, isolate_binds: bool = False
    ) -> Containers:
        from seeder.runtimes._docker_containers import Containers

        run.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Containers(run, stack, emit, additions, self._daemon, isolate_binds=isolate_binds)

    def rejoin(self, run: Run, stack: Stack, addresses: Mapping[tuple[str, int], Address], emit: Emit) -> Containers:
        from seeder.runtimes._docker_containers import Containers

        containers = Containers(run, stack, emit, NO_ADDITIONS, self._daemon, isolate_binds=False)
        containers.resume(addresses)
        return containers

    def form(self, service: Service, engine: str, image: str | None) -> tuple[str, str] | None:
        """A server that keeps its state outside of volumes is kept as an image, on top of the very image that it began with. What is
        built may keep it anywhere, whatever name it gets. Without a digest: the image is not there yet."""
        from seeder.registry import ENGINES

        name = image or service.image
        like = [service, dataclasses.replace(service, image=name)]
        if service.build or not name or not all(_docker_survey.moved(one, ENGINES.get(engine).launch(one)) for one in like):
            return None
        found = self._daemon.image(name)
        return (f"container-{found.id.removeprefix('sha256:')[:16]}", "image") if found else ("container", "image")

    def built(self) -> Mapping[str, datetime.datetime]:
        from seeder.runtimes import _docker_build

        return _docker_build.own(self._daemon)

    def forget(self, built: str) -> None:
        from seeder.runtimes import _docker_build

        _docker_build.forget(self._daemon, built)

    def diagnose(self) -> Iterable[Diagnosis]:
        from seeder.runtimes import _docker_diagnosis

        return _docker_diagnosis.diagnose(lambda: self._daemon)

    def place(self) -> Place:
        return Place(self._daemon.identity, self._daemon.at.reach)

    def sweep(self, run: str) -> Swept:
        from seeder.runtimes import _docker_sweep, _ports

        swept = _docker_sweep.sweep(self._daemon, f"{RUN}={run}")
        if swept.left:
            return swept
        return Swept((*swept.removed, *(f"port {port}" for port in _ports.release(run))))

    def owners(self) -> Mapping[str, datetime.datetime | None]:
        from seeder.runtimes import _docker_sweep

        return {label: _time(expires) for label, expires in _docker_sweep.owners(self._daemon, RUN, EXPIRES).items()}


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
