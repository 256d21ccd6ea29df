"""Is a container what somebody waits for? Looks are cheap and may be repeated quickly; dear checks pace themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from seeder.definition.service import Condition, Service, for_clients
from seeder.docker_engine.api import Daemon, State
from seeder.passed.target import Address
from seeder.runtimes._healthcheck import ANSWERS, Check, connect, get, said
from seeder.wait import READY, Verdict, never, not_yet

FIRST_GAP, LONGEST_GAP = 0.25, 2.0  # seconds between two commands inside a container: each costs 40 ms of CPU and more
HTTP_ONLY = 3.0  # seconds after which a check that gets no connection from outside is also tried inside
HINTS = {0: " before it was healthy", 137: ": it was killed, as happens when a memory limit is passed"}  # the flag may be late
OTHERWISE = (
    "or say what shows that it is ready, `x-seeder: {ready: {tcp: PORT}}` or `{http: PATH}`; "
    "where running is enough, remove the port or say `healthcheck: {disable: true}`"
)
NO_PROGRAM = ("executable file not found", "no such file or directory", "permission denied")


def of_state(state: State, condition: Condition, log: Callable[[], str]) -> Verdict | None:
    """What the container's state alone decides; None when it runs and has to be looked at more closely."""
    if state.killed_for_memory:
        return never("was killed: it used more memory than its limit allows", log())
    if state.status in ("created", "configured", "initialized"):  # Podman has its own words
        return never(f"could not be started: {state.error}", log()) if state.error else not_yet("not started")
    if state.status in ("restarting", "dead", "removing"):
        return never(f"is {state.status}", log())
    if state.status == "exited":
        return _of_exit(state.code, condition, log)
    if condition == "completed":
        return not_yet("still running")
    return None if condition == "healthy" else READY


def _of_exit(code: int, condition: Condition, log: Callable[[], str]) -> Verdict:
    if code == 0 and condition != "healthy":
        return READY
    return never(f"it ended with code {code}{HINTS.get(code, '')}", log())


def awaited(service: Service, linked: Iterable[int], exposed: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    """The ports of which one has to take connections before a service without a check is ready: the first that its compose file writes;
    else those by which other services know it (`linked`) and those that its image exposes, unless it runs another program than its
    image's: a worker serves nothing. None where its healthcheck is switched off: that it runs is enough then."""
    if service.healthcheck and service.healthcheck.disabled:
        return ()
    written = [*(port.target for port in service.ports if port.protocol == "tcp"), *service.expose]
    if written:
        return (written[0],)
    others = {port for port, protocol in exposed if protocol != "tcp"} | {port.target for port in service.ports}
    own = service.command is None and service.entrypoint is None
    offered = [port for port, protocol in exposed if protocol == "tcp"] if own else []
    return tuple(sorted(for_clients({*offered, *(set(linked) - others)})))


class Health:
    """Whether one running service is healthy: `x-seeder.ready`, else its healthcheck, else that it listens on one of the awaited ports,
    else that it runs."""

    def __init__(
        self,
        daemon: Daemon,
        service: Service,
        check: Check | None,
        ports: tuple[int, ...],
        address: Callable[[int | None], Address | None],
    ) -> None:
        self._daemon = daemon
        self._service = service
        self._check = check
        self._ports = ports
        self._address = address
        self._lock = threading.Lock()
        self._since: float | None = None
        self._next = 0.0
        self._gap = FIRST_GAP
        self._last = not_yet("healthcheck has not answered yet")

    def look(self, container: str) -> Verdict:
        """One observation. A command inside is run at most once per gap, which grows; between, its last answer stands."""
        with self._lock:
            self._since = self._since or time.monotonic()
            ready = self._service.x.ready
            if ready:
                address = self._address(ready.tcp or ready.port)
                if address is None:
                    return never("it is asked from here, and no such port of it is published")
                return connect(address) if ready.tcp else get(address, ready.http or "/")
            return self._by_check(self._check, container) if self._check else self._by_port()

    def _by_port(self) -> Verdict:
        reached = {port: address for port in self._ports if (address := self._address(port))}
        if not reached or any(connect(address) == READY for address in reached.values()):
            return READY
        first, *more = map(str, reached)
        where = f"any of the ports {', '.join([first, *more])}" if more else f"port {first}"
        return not_yet(f"nothing listens on {where}", f"let it listen on {'one of them' if more else 'it'}, on 0.0.0.0; {OTHERWISE}")

    def _by_check(self, check: Check, container: str) -> Verdict:
        address = self._address(check.port) if check.port else None
        if address:
            verdict = get(address, check.path, check.host, check.below)
            reached = verdict.state == "ready" or verdict.reason.startswith(ANSWERS)
            if reached or time.monotonic() - (self._since or 0) < HTTP_ONLY:
                return verdict
        if time.monotonic() < self._next:
            return self._last
        self._last = self._inside(check, container)
        self._next = time.monotonic() + self._gap
        self._gap = min(self._gap * 1.5, LONGEST_GAP)
        return self._last

    def _inside(self, check: Check, container: str) -> Verdict:
        code, output = self._daemon.execute(container, check.command, check.timeout, self._service.name)
        if code == 0:
            return READY
        if code is None:
            return not_yet(f"healthcheck did not end within {check.timeout:g} s")
        if code in (126, 127) and "exec failed" in output and any(text in output for text in NO_PROGRAM):
            remedy = "say `x-seeder: {ready: {http: PATH}}` or `{tcp: PORT}` instead"
            return never(f"its healthcheck cannot be run, the image has no {check.command[0]}; {remedy}", said(output))
        return not_yet(f"healthcheck ended with code {code}: {said(output)}".rstrip(": "))
