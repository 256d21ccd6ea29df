"""The one waiting function: ready, not yet or never; a deadline on the monotonic clock; the last observation in the error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field
from typing import Literal

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen

LAST_LINES = 20  # of a log, told with an observation that ends the waiting


@frozen
class Verdict:
    """One observation. `never` means that waiting longer is pointless; `log` holds lines worth showing with it, `remedy` mends this very
    reason. `closer` is asked once, when the waiting is given up: what a look that is too dear to repeat finds."""

    state: Literal["ready", "not yet", "never"]
    reason: str = ""
    log: str = ""
    remedy: str = ""
    closer: Callable[[], str] | None = field(default=None, compare=False)


READY = Verdict("ready")


def not_yet(reason: str, remedy: str = "", closer: Callable[[], str] | None = None) -> Verdict:
    return Verdict("not yet", reason, remedy=remedy, closer=closer)


def never(reason: str, log: str = "") -> Verdict:
    return Verdict("never", reason, log)


def wait_for(
    subject: str,
    look: Callable[[], Verdict],
    *,
    within: float,
    first: float = 0.02,
    longest: float = 1.0,
    remedy: str = "",
    if_never: str = "",
    changed: Callable[[str], None] | None = None,
    lively: bool = False,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Look until ready and return the seconds it took.

    Waits `first` seconds after the first look and half as long again after each further one, `longest` at most (a cheap look
    may be repeated quickly, a dear one should be given a longer `first`). `lively`: what has just changed may soon change again, so after a
    new reason it waits `first` anew, and never less than the look took. `changed` is told each new reason. Raises
    EnvironmentFailed at once on `never`, and after `within` seconds otherwise, with the last observation. `remedy` mends what is
    late, `if_never` what has ended.
    """
    __tracebackhide__ = True  # what a condition of a test raises, pytest shows where it was raised
    start, gap, last = clock(), first, ""
    while True:
        begun = clock()
        verdict = look()
        elapsed = clock() - start
        if verdict.state == "ready":
            return elapsed
        if verdict.state == "never":
            raise EnvironmentFailed(subject, verdict.reason, if_never or remedy, log=verdict.log)
        if verdict.reason != last:
            last = verdict.reason
            gap = first if lively else gap
            if changed:
                changed(last)
        if elapsed >= within:
            raise _given_up(subject, verdict, within, remedy)
        rest = max(gap, start + elapsed - begun) if lively else gap
        pause(min(rest, max(0.0, within - elapsed)))
        gap = min(gap * 1.5, longest)


def _given_up(subject: str, last: Verdict, within: float, remedy: str) -> EnvironmentFailed:
    """What mends the last observation comes before what mends lateness."""
    found = [last.reason or "no answer", last.closer() if last.closer else ""]
    remedies = [last.remedy, remedy]
    cause = f"not ready after {within:g} s: {'; '.join(filter(None, found))}"
    return EnvironmentFailed(subject, cause, "\n       ".join(filter(None, remedies)), log=last.log)
