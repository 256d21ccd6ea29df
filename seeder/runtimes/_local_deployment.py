"""One stack of one run as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from seeder.definition.service import Condition
from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed
from seeder.events import Emit, Progress
from seeder.machine import living, process, shell
from seeder.machine.process import Completed
from seeder.order import each
from seeder.passed.launch import LocalLaunch
from seeder.passed.run import NO_ADDITIONS, Addition, Run, Task
from seeder.passed.target import Address
from seeder.runtimes import _local_engine, _local_ready, _local_service, _ports
from seeder.runtimes._local_started import Started
from seeder.runtimes._rewrite import hosts_of
from seeder.wait import LAST_LINES, READY, Verdict, never, not_yet, wait_for

_AT_ONCE = 4
STOP_SECONDS = 20.0  # how long a server may take to write down its state, and a service to end


class LocalDeployment:
    """One stack of one run as processes, each in a session of its own, each writing its own log."""

    def __init__(
        self,
        run: Run,
        stack: Stack,
        emit: Emit,
        addresses: Mapping[tuple[str, int], Address],
        additions: Mapping[str, Addition] = NO_ADDITIONS,
        *,
        isolate_binds: bool = False,
    ) -> None:
        self.run, self.stack, self.emit, self.additions, self.isolate_binds = run, stack, emit, additions, isolate_binds
        self.addresses = addresses
        self._hosts = hosts_of(stack, self.addresses)
        self._engines: dict[str, _local_engine.Prepared] = {}
        self._services: dict[str, _local_service.Invocation] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._launches: dict[str, LocalLaunch] = {}
        self._lock = threading.Lock()

    # -- before the start ---------------------------------------------------------------------------------------------

    def prepare(self, images: Mapping[str, str], states: Mapping[str, str] | None = None) -> Mapping[tuple[str, int], Address]:
        """Make data folders and configuration. `images` says which version a store wants; a service has no image here, and one
        for it is refused with EnvironmentFailed."""
        for name in sorted(set(images) & set(self.stack.clients)):
            remedy = "leave the image out, or use --runtime docker"
            raise EnvironmentFailed(name, "the local runtime runs its local command, not an image", remedy)
        for name in self.stack.clients:
            self._services[name] = self._invocation(name)
        for name in self.stack.servers:
            service = self.stack.services[name]
            self._services[name] = _local_service.server_invocation(service, self.stack, self.run, self._hosts, self._own(name))
        self._engines = each(self.stack.servers, lambda name: self._engine(name, images, (states or {}).get(name)), at_once=_AT_ONCE)
        return self.addresses

    def _engine(self, name: str, images: Mapping[str, str], state: str | None) -> _local_engine.Prepared:
        launch = _local_engine.launch(self.stack.services[name], self.stack.stores_of(name)[0].engine, images.get(name))
        self._launches[name] = launch
        address = next(iter(self._own(name).values()))
        environment = shell.environment(self.run, sys.executable)
        prepared = _local_engine.prepare(launch, self._data(name), address, environment, Path(state) if state else None)
        self.emit(Progress("images", name, "prepared", launch.program))
        return prepared

    def _invocation(self, name: str) -> _local_service.Invocation:
        addition = self.additions.get(name, Addition())
        return _local_service.invocation(
            self.stack.services[name], self.stack, self.run, self._hosts, self._own(name), addition, isolate_binds=self.isolate_binds
        )

    def _data(self, name: str) -> Path:
        return self.run.folder / "data" / name

    def _own(self, name: str) -> dict[int, Address]:
        return {port: address for (service, port), address in self.addresses.items() if service == name}

    # -- running ------------------------------------------------------------------------------------------------------

    def start(self, service: str) -> None:
        with self._lock:
            child = self._children.get(service)
            if child is not None and child.poll() in {None, 0}:
                return
        for address in self._own(service).values():
            _ports.let_go(address.port)
        what = self._engines.get(service) or self._services[service]
        how = Started(what.command, what.cwd, what.environment)
        if service not in self._engines:
            how.write(self._how(service))
        try:
            child = self._begin(service, how)
        except EnvironmentFailed as error:
            if service in self._engines:
                raise
            found, place = error.problems[0], self.stack.services[service].place("local", "command")
            raise EnvironmentFailed(service, f"local.command: {found.cause}", found.remedy, place) from error
        with self._lock:
            self._children[service] = child

    def _begin(self, service: str, how: Started) -> subprocess.Popen[bytes]:
        with self._log(service).open("ab") as log:
            return process.start(how.command, cwd=how.cwd, environment=how.environment, output=log)

    def _how(self, service: str) -> Path:
        return self.run.folder / "started" / f"{service}.json"

    def stop(self, service: str) -> None:
        with self._lock:
            child = self._children.pop(service, None)
        if child is None or child.poll() is not None:
            return
        if service in self._launches:  # a server tells its own processes, in its own order
            child.send_signal(self._launches[service].stop)
        else:
            _signal_group(child, signal.SIGTERM)
        self._await_end(service, lambda: living.identity(child.pid) is None)  # it is not reaped, so that its group is still its own
        process.kill_group(child)
        child.wait()

    def _await_end(self, service: str, gone: Callable[[], bool] = lambda: True) -> None:
        """Until it and whatever else writes to its log has ended, or its time is up: a shell may be gone before what it started."""

        def look() -> Verdict:
            return READY if gone() and not living.writes(self._log(service)) else not_yet("it still runs")

        with suppress(EnvironmentFailed):
            wait_for(service, look, within=STOP_SECONDS, first=0.01, longest=0.1)

    def hold(self, service: str) -> None:
        self._signal(service, signal.SIGSTOP)

    def release(self, service: str) -> None:
        self._signal(service, signal.SIGCONT)

    def _signal(self, service: str, number: signal.Signals) -> None:
        child = self._children.get(service)
        if child is not None and child.poll() is None:
            _signal_group(child, number)

    def state(self, service: str) -> str:
        return str(self._data(service))

    def look(self, service: str, condition: Condition) -> Verdict:
        child = self._children.get(service)
        if child is None:
            return not_yet("it was not started")
        code = child.poll()
        if code is not None:
            return self._ended(service, code, condition)
        if condition == "completed":
            return not_yet("it still runs")
        return self._healthy(service) if condition == "healthy" else READY

    def _ended(self, service: str, code: int, condition: Condition) -> Verdict:
        if code == 0 and condition != "healthy":
            return READY
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        taken = [f"port {a.port} is taken by {by}" for a in self._own(service).values() if (by := _ports.holder(a.port))]
        return never("; ".join([f"it {how}", *taken]), self.logs(service, LAST_LINES))

    def _healthy(self, service: str) -> Verdict:
        """Whether a store's server accepts its clients is the engine's to say; here its port counts."""
        own = self._own(service)
        if service in self._engines:
            return _local_ready.look(_local_ready.Check("its port is open", "tcp", next(iter(own))), own, self._check)
        check = _local_ready.check(self.stack.services[service], tuple(own))
        return _local_ready.look(check, own, lambda wanted: self._check(wanted, service))

    def _check(self, wanted: _local_ready.Check, service: str = "") -> Completed:
        what = self._services[service]
        health = self.stack.services[service].healthcheck
        limit = min(health.timeout, 10.0) if health else 10.0
        return process.run(what.rewriter.arguments(wanted.words), timeout=limit, cwd=what.cwd, environment=what.environment)

    def execute(self, task: Task) -> Completed:
        what = self._services[task.service]
        environment = {**what.environment, **what.rewriter.environment(task.environment), process.RUN_LABEL: self.run.id}
        command = what.rewriter.arguments(task.command)
        cwd = task.cwd or what.cwd
        with self._log(task.label).open("a", encoding="utf-8") as log:

            def write(line: str) -> None:
                log.write(f"{line}\n")
                log.flush()

            return process.run(command, timeout=task.timeout, cwd=cwd, environment=environment, on_line=write, remedy=task.remedy)

    def logs(self, service: str, lines: int | None = None) -> str:
        path = self._log(service)
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def _log(self, label: str) -> Path:
        return self.run.folder / "logs" / f"{label.replace('/', '_')}.log"

    def reap(self) -> None:
        """Take leave of children that a sweep has ended."""
        for child in self._children.values():
            child.poll()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A service may have processes of its own."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)
