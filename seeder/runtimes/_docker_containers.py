"""One stack of one run, as containers."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence

from seeder.definition.dotenv import variables_of
from seeder.definition.service import Condition
from seeder.definition.stack import Stack
from seeder.docker_engine.api import Daemon, Image, Refused, State
from seeder.docker_engine.endpoint import EVERYWHERE
from seeder.errors import EnvironmentFailed
from seeder.events import Emit, Noticed, Progress
from seeder.machine import process
from seeder.passed.launch import Launch
from seeder.passed.run import RUN, Addition, Run, Task
from seeder.passed.target import Address
from seeder.runtimes import _docker_compose, _docker_model, _docker_mounts, _docker_ports, _docker_survey, _healthcheck, _ports
from seeder.runtimes._docker_health import Health, awaited, of_state
from seeder.runtimes._docker_images import Images
from seeder.runtimes._docker_labels import SERVICE, labels
from seeder.runtimes._docker_tasks import Tasks
from seeder.wait import LAST_LINES, Verdict

TAKEN = re.compile(r"port is already allocated|address already in use|ports are not available|bind for \S+ failed", re.IGNORECASE)
FOREIGN = re.compile(r"cannot assign requested address", re.IGNORECASE)
DRAWS = 3  # how often a service's ports are drawn anew when another program took one of them

SERVER_SECONDS = 30  # that a server has to write down what it holds when it is stopped


class Containers:
    """It satisfies `protocols.Deployment`."""

    def __init__(
        self, run: Run, stack: Stack, emit: Emit, additions: Mapping[str, Addition], daemon: Daemon, *, isolate_binds: bool
    ) -> None:
        self._run = run
        self._stack = stack
        self._emit = emit
        self._additions = additions
        self._daemon = daemon
        self._isolate_binds = isolate_binds
        self._model: _docker_model.Model = {}
        self._kept = _docker_mounts.Kept()
        self._numbers: dict[_docker_ports.Key, int] = {}
        self._listens = daemon.at.listens
        self._addresses: dict[tuple[str, int], Address] = {}
        self._ids: dict[str, str] = {}
        self._health: dict[str, Health] = {}
        self._stopped: set[str] = set()
        self._creating = threading.Lock()  # services start at once, and all of them are in one model
        self._tasks = Tasks(run, stack, daemon, labels(run), self._addresses)

    # -- creating -----------------------------------------------------------------------------------------------------

    def prepare(self, images: Mapping[str, str], states: Mapping[str, str] | None = None) -> Mapping[tuple[str, int], Address]:
        model = _docker_model.reduced(_docker_compose.resolve(self._stack), self._stack)
        environment = _docker_compose.environment(self._run.id, variables_of(self._stack.project_dir))
        names, known = Images(self._daemon, self._emit, self._run.folder / "logs", environment).get(model, images, states or {})
        launches = _docker_survey.launches(self._stack)
        terms = self._terms(names, known, launches, keeps=states is not None)
        _docker_model.own(model, self._stack, terms)
        self._kept = _docker_mounts.own(model, terms)
        for notice in _docker_survey.replaced(self._stack):
            self._emit(Noticed(notice.subject, notice.message, notice.remedy))
        self._model = model
        self._health = {name: self._health_of(name, known[names[name]]) for name in model["services"]}
        exposed = {name: known[image].ports for name, image in names.items()}
        wanted = _docker_ports.wanted(model, self._stack, {name: launch.port for name, launch in launches.items()}, exposed)
        self._draw(_docker_ports.publishable(model, wanted))
        self._addresses.update(_docker_ports.on_the_host(model, wanted, self._daemon.at.host))
        for path, file in self._kept.files.items():
            _docker_mounts.write(path, file)
        with self._creating:
            self._create()
        return self._addresses

    def inside(self, service: str, port: int) -> Address:
        return Address(service, port)

    def resume(self, addresses: Mapping[tuple[str, int], Address]) -> None:
        """Take up what another process created: its model, its containers, its ports."""
        self._addresses.update(addresses)
        self._model = _docker_compose.read(self._run.model)
        self._numbers = _docker_ports.published(self._model)
        self._ids.update(self._containers())
        if not self._ids:
            raise EnvironmentFailed(self._run.id, "none of its containers is there", f"end it: seeder down {self._run.id}")
        images = {name: self._daemon.image(s["image"]) for name, s in self._model["services"].items() if name in self._stack.services}
        self._health = {name: self._health_of(name, image) for name, image in images.items() if image}

    def _containers(self) -> dict[str, str]:
        return self._daemon.containers({RUN: self._run.id, "com.docker.compose.project": self.project}, SERVICE)

    def _terms(
        self, names: Mapping[str, str], known: Mapping[str, Image], launches: Mapping[str, Launch], *, keeps: bool
    ) -> _docker_model.Terms:
        return _docker_model.Terms(
            project=self.project,
            labels=labels(self._run),
            told=self._run.told,
            folder=self._run.folder,
            images=names,
            volumes={name: known[image].volumes for name, image in names.items()},
            data={name: launch.data for name, launch in launches.items()},
            additions=self._additions,
            variables=variables_of(self._stack.project_dir),
            isolate_binds=self._isolate_binds,
            remote=self._daemon.at.remote,
            moved={name: _docker_survey.moved(self._stack.services[name], launch) for name, launch in launches.items() if keeps},
        )

    @property
    def project(self) -> str:
        """The compose project's name: compose takes small letters, digits, `-` and `_`."""
        return re.sub(r"[^a-z0-9_-]+", "-", self._run.name.lower())

    def _draw(self, needed: Sequence[_docker_ports.Key]) -> None:
        """Give every port a number of this run's own, and say where it is."""
        numbers = _ports.reserve(self._run.id, len(needed))
        self._numbers |= dict(zip(needed, numbers, strict=True))
        host = self._daemon.at.host
        for service, port, protocol in needed:
            if protocol == "tcp" or (service, port, "tcp") not in self._numbers:
                self._addresses[service, port] = Address(host, self._numbers[service, port, protocol])
        _docker_ports.publish(self._model, self._numbers, self._listens)

    def _create(self, services: Sequence[str] = ()) -> None:
        file = self._run.model
        _docker_compose.write(self._model, file)
        _docker_compose.create(file, self._run.id, services, self._tell_creation)
        self._ids.update(self._containers())
        for service in services or self._model["services"]:
            if copies := self._kept.copies.get(service):
                self._daemon.copy_in(self._ids[service], copies, service)

    def _tell_creation(self, line: str) -> None:
        if found := re.search(r"Container (\S+)\s+(Creating|Created)", line):
            service = found[1].removeprefix(f"{self.project}-").rpartition("-")[0]
            self._emit(Progress("images", service, found[2].lower()))

    def _health_of(self, name: str, image: Image) -> Health:
        service = self._stack.services[name]
        own = service.healthcheck
        check = _healthcheck.of_image(image.healthcheck) if own is None else _healthcheck.of_service(service)
        ports = awaited(service, [link.port for link in self._stack.links if link.server == name], image.ports)
        return Health(self._daemon, service, check, ports, lambda port: self._address(name, port))

    def _address(self, name: str, port: int | None) -> Address | None:
        """Of the port inside; without one, of the first that the compose file writes."""
        if port is not None:
            return self._addresses.get((name, port))
        first = self._stack.services[name].first_port([inside for owner, inside in self._addresses if owner == name])
        return self._addresses[name, first] if first is not None else None

    # -- starting and looking -----------------------------------------------------------------------------------------

    def start(self, service: str, draws: int = DRAWS) -> None:
        if service not in self._stopped and not self._stack.stores_of(service) and self._state(service) == State("exited"):
            return  # a one-shot that has done its work
        mine = [key for key in self._numbers if key[0] == service]
        for key in mine:
            _ports.let_go(self._numbers[key])
        try:
            self._daemon.start(self._id(service), service)
        except Refused as refused:
            if FOREIGN.search(refused.text) and draws:
                self._listen_everywhere(service)
            elif not TAKEN.search(refused.text):
                raise
            elif not draws or service in self._stopped:  # one that was stopped holds what it wrote, and is not made anew
                raise self._taken(service, refused) from refused
            else:
                self._redraw(service, mine)
            self.start(service, draws - 1)

    def _redraw(self, service: str, keys: Sequence[_docker_ports.Key]) -> None:
        self._emit(Noticed(service, "another program took one of its ports; other ports are taken"))
        with self._creating:
            self._draw(keys)
            self._create([service])

    def _listen_everywhere(self, service: str) -> None:
        """The daemon's machine has not the address by which it is known here: something translates addresses between them."""
        with self._creating:
            if self._listens != EVERYWHERE:
                host = self._daemon.at.host
                message = f"{self._listens} is no address of {host} itself: ports are published on every address that it has"
                self._emit(Noticed(self._stack.name, message, f"let only trusted machines reach {host}"))
                self._listens = EVERYWHERE
                _docker_ports.publish(self._model, self._numbers, self._listens)
            self._create([service])

    def _taken(self, service: str, refused: Refused) -> EnvironmentFailed:
        """Who has the port, as far as it can be seen from here."""
        numbers = [number for key, number in self._numbers.items() if key[0] == service]
        port = next((number for number in numbers if str(number) in refused.text), numbers[0] if numbers else 0)
        others = self._daemon.publishers(port)
        who = f"container {others[0]}" if others else _ports.holder(port) or "a program that cannot be seen from here"
        return EnvironmentFailed(service, f"port {port} is taken by {who}, as were the ports drawn before it", "end it, or try again")

    def stop(self, service: str) -> None:
        server = bool(self._stack.stores_of(service))  # one that is killed in the midst of writing has to recover
        self._daemon.stop(self._id(service), service, SERVER_SECONDS if server else None)
        self._stopped.add(service)

    def hold(self, service: str) -> None:
        if self._state(service).status == "running":
            self._daemon.pause(self._id(service), service)

    def release(self, service: str) -> None:
        if self._state(service).status == "paused":
            self._daemon.unpause(self._id(service), service)

    def state(self, service: str) -> str:
        return self._id(service)

    def look(self, service: str, condition: Condition) -> Verdict:
        verdict = of_state(self._state(service), condition, lambda: self.logs(service, LAST_LINES))
        return verdict or self._health[service].look(self._id(service))

    def _state(self, service: str) -> State:
        return self._daemon.state(self._id(service), service)

    def _id(self, service: str) -> str:
        if service not in self._ids:
            raise EnvironmentFailed(service, "has no container", "name a service of the stack that is part of the run")
        return self._ids[service]

    # -- tasks and logs -----------------------------------------------------------------------------------------------

    def execute(self, task: Task) -> process.Completed:
        return self._tasks.execute(task, self._id(task.service), self._model["services"][task.service]["environment"], self._kept.copies)

    def logs(self, service: str, lines: int | None = None) -> str:
        if service in self._ids:
            return self._daemon.logs(self._ids[service], service, lines)
        return self._tasks.log(service, lines)  # a service without a container has the log of its build at most
