"""Ask a capability for one thing until it is known what came of it, as long as another try can do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from seeder.definition.duration import words
from seeder.errors import EnvironmentFailed
from seeder.order import Unfinished, aside
from seeder.passed.capability import Asked
from seeder.protocols import Generator, World
from seeder.steps.tried import Tried, judged
from seeder.wait import READY, Verdict, never, not_yet, wait_for

TRIES: Final = 4  # the time limit of all tries, in time limits of one
LONGEST: Final = 0.25  # seconds between looks at whether it is to be tried again


def ask(
    world: World,
    generator: Generator,
    call: Asked,
    given: Mapping[str, Any],
    *,
    limit: float | None = None,
    over: Callable[[], bool] = bool,
    again: Callable[[str], None] | None = None,
) -> Tried:
    """What came of the last try. It is `unknown`, whatever the last one said, when one before it may have made something that was not
    found. There is no other try after `limit` seconds, nor once it is `over`. `again` is told each new reason for another try."""
    limit = TRIES * generator.capability.within if limit is None else limit
    asking = _Asking(world, generator, call, given, over, limit)
    try:
        wait_for(f"step {call.step}", asking.look, within=limit, longest=LONGEST, changed=again)
    except EnvironmentFailed:
        last = replace(asking.last, reason=asking.last.reason + asking.patience())
        return replace(last, state="unknown", made=None) if asking.doubt else last
    return asking.last


class _Asking:
    """Where the tries have come to. `doubt`: one of them may have made something. `going`: the answer of one that has outrun its time,
    and still goes on: until it has ended there is no other."""

    def __init__(
        self, world: World, generator: Generator, call: Asked, given: Mapping[str, Any], over: Callable[[], bool], limit: float
    ) -> None:
        self._world, self._generator, self._call, self._given, self._over, self._limit = world, generator, call, given, over, limit
        self._since = self._due = time.monotonic()
        self._tries = 0
        self._going: Callable[[], Any] | None = None
        self.last = Tried("failed", "it was not asked")
        self.doubt = False

    def look(self) -> Verdict:
        if self._going is None and self._over():
            return never(self.last.reason)
        if self._going is None and time.monotonic() < self._due:
            return not_yet(self.last.reason)
        self.last = self._try()
        self.doubt = self.doubt or (self.last.state == "unknown" and self._going is None)
        if self.last.state == "confirmed":
            return READY
        if self.last.again is None:
            return never(self.last.reason, self.last.log)
        self._due = time.monotonic() + self.last.again
        return never(self.last.reason) if self._late else not_yet(self.last.reason)

    @property
    def _late(self) -> bool:
        """Whether the time for all tries is over before there may be another."""
        return self._due > self._since + self._limit

    def patience(self) -> str:
        """How often it was tried, and for how long, where there was or may have been another try."""
        if self._tries > 1:
            return f" (tried {self._tries} times in {words(round(time.monotonic() - self._since, 1))})"
        late = self.last.again and self._late
        return f" (it may be tried again after {words(self.last.again or 0)}, and all tries have {words(self._limit)})" if late else ""

    def _try(self) -> Tried:
        if self._going is None:
            if self.doubt and (found := self._found()):
                return found
            self._call = call = replace(self._call, writes=[])
            self._tries += 1
            self._going = self._begun(lambda: self._generator.make(self._world, call, self._given))
        return self._answer(self._going)

    def _answer(self, going: Callable[[], Any]) -> Tried:
        about = self._generator.capability
        try:
            found = Tried("confirmed", made=going())
        except Unfinished as error:
            return Tried("unknown", f"no answer: {error}", again=0.0 if about.repeats else None)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever a team's function raises is told as its)
            found = judged(error, about, self._call.writes)
        self._going = None
        return found

    def _found(self) -> Tried | None:
        """What an earlier try made. Where it cannot be looked for, nothing is made either."""
        if not self._generator.capability.finds:
            return None
        call = replace(self._call, writes=[])
        try:
            found = self._begun(lambda: self._generator.find(self._world, call, self._given))()
        except (Exception, SystemExit) as error:  # noqa: BLE001  (as above)
            why = judged(error, self._generator.capability)
            return Tried("unknown", f"what an earlier try made could not be looked for: {why.reason}", again=why.again, log=why.log)
        return None if found is None else Tried("confirmed", made=found)

    def _begun(self, work: Callable[[], Any]) -> Callable[[], Any]:
        return aside(work, within=self._generator.capability.within)
