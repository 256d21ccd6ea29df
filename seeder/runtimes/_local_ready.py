"""When a process is healthy: what the definition says, translated to something that can be asked from this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from seeder.definition.service import Service
from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import process
from seeder.passed.target import Address
from seeder.runtimes import _healthcheck, _ports
from seeder.wait import READY, Verdict, not_yet

UNTOLD = (
    "tell it its port, which is another in every run: {port} in local.command, "
    'or `local: {environment: {PORT: "{port}"}}` where it reads that variable'
)


@frozen
class Check:
    """`says` names it, e.g. `GET /healthz`; `differs` says how it is not what the definition asks for, if so."""

    says: str
    kind: str  # http, tcp, command, alive
    port: int | None = None
    path: str = "/"
    host: str = ""
    below: int = _healthcheck.BAD
    words: tuple[str, ...] = ()
    differs: str = ""
    untold: bool = False  # nothing in the service's local form says which port it has here


def check(service: Service, ports: tuple[int, ...]) -> Check:
    """x-seeder.ready, else the healthcheck, else an open port, else that the process lives, which is also enough where the healthcheck is
    switched off. Pure but for a look for programs."""
    return replace(_check(service, ports), untold=_untold(service))


def _check(service: Service, ports: tuple[int, ...]) -> Check:
    first = ports[0] if ports else None
    ready = service.x.ready
    if ready and ready.http is not None and (ready.port or first):
        return Check(f"GET {ready.http}", "http", ready.port or first, ready.http)
    if ready and ready.tcp is not None:
        return Check(f"port {ready.tcp} is open", "tcp", ready.tcp)
    if service.healthcheck and service.healthcheck.disabled:
        return _port(None)
    asked = _healthcheck.of_service(service)
    if asked is None:
        return _port(first)
    if asked.port in ports:
        return Check(f"GET {asked.path}", "http", asked.port, asked.path, asked.host, asked.below)
    return _command(asked.command, first)


def look(wanted: Check, own: Mapping[int, Address], command: Callable[[Check], process.Completed]) -> Verdict:
    """One observation. `command` runs a check of kind command, with addresses as the service would have them."""
    if wanted.kind == "command":
        return _look_command(wanted, command)
    if wanted.port is None:
        return READY
    address = own.get(wanted.port) or Address("127.0.0.1", wanted.port)
    asked = wanted.kind == "http"
    verdict = _healthcheck.get(address, wanted.path, wanted.host, wanted.below) if asked else _healthcheck.connect(address)
    if verdict == READY or verdict.reason.startswith(_healthcheck.ANSWERS):
        return verdict
    return not_yet(verdict.reason, UNTOLD if wanted.untold else "", _elsewhere)


def _untold(service: Service) -> bool:
    local = service.x.local
    return local is not None and not any("{port" in word for word in (*local.command, *local.environment.values()))


def _elsewhere() -> str:
    """Where a service listens that does not heed its port."""
    return ", ".join(_ports.strays())


def _command(words: tuple[str, ...], first: int | None) -> Check:
    line = words[-1] if words[:2] == ("/bin/sh", "-c") else " ".join(words)
    program = (line.split() or [""])[0]
    if words[0] != "/bin/sh" and shutil.which(words[0]) is None and not Path(words[0]).is_file():
        return _port(first, f"its healthcheck runs {words[0]}, which is not on this machine")
    if words[0] == "/bin/sh" and not _shell_knows(program):
        return _port(first, f"its healthcheck runs {program}, which is not on this machine")
    return Check(f"`{line}` on this machine", "command", words=words)


def _shell_knows(program: str) -> bool:
    return "=" in program or program in {"test", "[", "exit", "true", ":", "if", "!", "cd", "echo"} or shutil.which(program) is not None


def _port(first: int | None, why: str = "") -> Check:
    if first is None:
        return Check("its process lives", "alive", differs=why)
    return Check(f"port {first} is open", "tcp", first, differs=why)


def _look_command(wanted: Check, command: Callable[[Check], process.Completed]) -> Verdict:
    try:
        done = command(wanted)
    except EnvironmentFailed as error:
        return not_yet(error.problems[0].cause)
    return READY if done.code == 0 else not_yet(f"{wanted.says} ended with code {done.code}: {_healthcheck.said(done.output)}".rstrip(": "))
