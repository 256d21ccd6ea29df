"""Is a container what somebody waits for? Looks are cheap and may be repeated quickly; dear checks pace themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from seeder.definition.service import Condition, Service
from seeder.docker_api import Daemon, State
from seeder.runtimes._healthcheck import ANSWERS, Check, connect, get
from seeder.target import Address
from seeder.wait import READY, Verdict, never, not_yet

FIRST_GAP, LONGEST_GAP = 0.25, 2.0  # seconds between two commands inside a container: each costs 40 ms of CPU and more
HTTP_ONLY = 3.0  # seconds after which a check that gets no connection from outside is also tried inside
HINTS = {0: " before it was healthy", 137: ": it was killed, as happens when a memory limit is passed"}  # the flag may be late
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
    return never(f"exited with code {code}{HINTS.get(code, '')}", log())


class Health:
    """Whether one running service is healthy: `x-seeder.ready`, else its healthcheck, else that it runs."""

    def __init__(self, daemon: Daemon, service: Service, check: Check | None, address: Callable[[int | None], Address | None]) -> None:
        self._daemon = daemon
        self._service = service
        self._check = check
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
            if self._check is None:
                return READY
            return self._by_check(self._check, container)

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
        said = " ".join(output.split())[-200:]
        if code == 0:
            return READY
        if code is None:
            return not_yet(f"healthcheck did not end within {check.timeout:g} s")
        if code in (126, 127) and "exec failed" in output and any(text in output for text in NO_PROGRAM):
            remedy = "say `x-seeder: {ready: {http: PATH}}` or `{tcp: PORT}` instead"
            return never(f"its healthcheck cannot be run, the image has no {check.command[0]}; {remedy}", said)
        return not_yet(f"healthcheck ended with code {code}{f': {said}' if said else ''}")
