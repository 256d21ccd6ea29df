"""Signals and the run's time limit, turned into errors of the main thread until teardown begins."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seeder.errors import SeederError, TimeLimit

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> list[signal.Signals]:
    """The signals that end a run. One that is ignored already (`nohup`, a shell's background) stays so, for the command as well."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


class Interrupted(SeederError):
    """The run was ended by a signal; its exit code is 128 plus the signal's number."""

    ended_by = "signal"

    def __init__(self, number: int) -> None:
        super().__init__("run", f"interrupted by {signal.Signals(number).name}")
        self.code = self.run_code = 128 + number


class Guard:
    """Raises in the main thread at the first signal or at the time limit, from `release` on; after `hold` nothing interrupts any more."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._held = True
        self._early: Interrupted | TimeLimit | None = None

    def release(self) -> None:
        """Whoever calls is ready to be interrupted; what came before now is raised now."""
        self._held = False
        early, self._early = self._early, None
        if early:
            self._interrupt(early)

    def hold(self) -> None:
        """Teardown begins: further signals are ignored, the time limit is over. (The warden finishes what a kill leaves.)"""
        self._held = True
        if self._timeout is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def on_signal(self, number: int, _: FrameType | None) -> None:
        self._interrupt(Interrupted(number))

    def on_limit(self, _number: int, _: FrameType | None) -> None:
        self._interrupt(TimeLimit("run", f"did not end within {self._timeout:g} s", "raise --timeout, or look where the time went"))

    def _interrupt(self, error: Interrupted | TimeLimit) -> None:
        if not self._held:
            self._held = True
            raise error
        self._early = self._early or error


@contextmanager
def guarded(timeout: float | None) -> Iterator[Guard]:
    """Signals raise Interrupted, the limit (seconds) raises TimeLimit. Outside the main thread neither is watched."""
    guard = Guard(timeout)
    if threading.current_thread() is not threading.main_thread():
        yield guard
        return
    before = {number: signal.signal(number, guard.on_signal) for number in heeded()}
    alarm = signal.signal(signal.SIGALRM, guard.on_limit)
    if timeout is not None:
        signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        yield guard
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for number, handler in before.items():
            signal.signal(number, handler)
