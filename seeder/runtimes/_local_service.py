"""A service as a process: its command, folder and environment, with the addresses and paths that are right on this machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from seeder.definition.service import Mount, Service
from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import shell
from seeder.machine.process import RUN_LABEL
from seeder.passed.run import Addition, Run
from seeder.passed.target import Address
from seeder.runtimes import _healthcheck
from seeder.runtimes._local_mounts import mounted
from seeder.runtimes._rewrite import Hosts, Rewriter

PLACEHOLDER = re.compile(r"\{(python|host|port(?::(\d+))?)\}")


@frozen
class Invocation:
    """What to start, where, with which environment."""

    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    rewriter: Rewriter


def ports_of(stack: Stack, service: Service) -> tuple[int, ...]:
    """The container ports by which the service is known, those it names first; every one of them gets a number of its own."""
    named = [port.target for port in service.ports if port.protocol == "tcp"] + list(service.expose)
    words = [*service.x.local.command, *service.x.local.environment.values()] if service.x.local else []
    named += [int(found[2]) for word in words for found in PLACEHOLDER.finditer(word) if found[2]]
    named += [port for port in (service.x.ready.port, service.x.ready.tcp) if port] if service.x.ready else []
    asked = _healthcheck.of_service(service)
    named += [asked.port] if asked and asked.port else []
    named += sorted(link.port for link in stack.links if link.server == service.name)
    return tuple(dict.fromkeys(named))


def invocation(
    service: Service, stack: Stack, run: Run, hosts: Hosts, own: Mapping[int, Address], addition: Addition, *, isolate_binds: bool
) -> Invocation:
    """Everything the service's process needs; what is mounted into it is made below the run's folder.

    Raises EnvironmentFailed when it has no local form, or something that is mounted into it is not there.
    """
    local = service.x.local
    if local is None:
        raise EnvironmentFailed(service.name, "it has no local form", "add `x-seeder: {local: {command: [...]}}`", service.mark)
    mounts = [*service.mounts, *(Mount("config", path, str(source), read_only=True) for path, source in sorted(addition.files.items()))]
    rewriter = mounted(service.name, mounts, run, Rewriter(hosts, own), isolate_binds=isolate_binds)
    values = rewriter.environment({**service.environment, **local.environment, **addition.environment})
    values |= {name: _fill(values[name], service, own) for name in local.environment if name not in addition.environment}
    command = tuple(_fill(word, service, own) for word in rewriter.arguments(local.command))
    cwd = (stack.project_dir / local.cwd).resolve()
    base = shell.environment(run, _interpreter(command, cwd))
    environment = {**base, **values, **run.told, RUN_LABEL: run.id}
    return Invocation(command, cwd, environment, rewriter)


def server_invocation(service: Service, stack: Stack, run: Run, hosts: Hosts, own: Mapping[int, Address]) -> Invocation:
    """What a task gets that runs as a store's server: its variables; there is no command."""
    rewriter = Rewriter(hosts, own)
    environment = {**shell.environment(run, sys.executable), **rewriter.environment(service.environment), **run.told}
    return Invocation((), stack.project_dir, {**environment, RUN_LABEL: run.id}, rewriter)


def _interpreter(command: Sequence[str], cwd: Path) -> str:
    """A service with a virtual environment of its own has its tasks run in that too."""
    program = Path(cwd / command[0])
    return str(program) if command[0] != program.name and program.name.startswith("python") else sys.executable


def _fill(word: str, service: Service, own: Mapping[int, Address]) -> str:
    first = service.first_port(own)

    def value(found: re.Match[str]) -> str:
        if found[1] == "python":
            return sys.executable
        port = int(found[2]) if found[2] else first
        address = own.get(port) if port is not None else None
        if address is None:
            return "127.0.0.1" if found[1] == "host" else found[0]
        return address.host if found[1] == "host" else str(address.port)

    return PLACEHOLDER.sub(value, word)
