"""What comes about by and by: it is looked at until it is there, and every state on the way is kept, with its times."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

from seeder.definition.duration import seconds
from seeder.errors import EnvironmentFailed
from seeder.events import Emit, Waited
from seeder.frozen import frozen
from seeder.handles import matching
from seeder.wait import READY, Verdict, never, not_yet, wait_for

T = TypeVar("T")
Ending = Literal["there", "late", "strange", "broken"]

TRUE: Final = object()  # whatever counts as true in Python is what is waited for
LONGEST: Final = 400  # characters of an answer in a message


@frozen
class Sight:
    """One look: whether what is waited for is there, what is not allowed on the way, and all of it for a message."""

    holds: bool
    shown: str
    strange: str = ""


class NotSeen(Exception):
    """It did not come: the time is over (`late`), or something came that is not allowed on the way."""

    def __init__(self, seen: Seen, *, strange: str, within: float) -> None:
        self.seen, self.strange, self.within = seen, strange, within
        super().__init__(self.cause)

    @property
    def cause(self) -> str:
        if self.strange:
            return f"{self.strange}, which is not allowed on the way: {self.seen}"
        return f"not ready after {self.within:g} s: {self.seen.last}; seen: {self.seen}"


class Seen:
    """What was seen, in order. Equal looks one after another are one state, which lasted from the first of them to the last."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self.states: list[dict[str, Any]] = []

    def note(self, shown: str) -> None:
        at = round(time.monotonic() - self._begun, 3)
        if not self.states or self.states[-1]["shown"] != shown:
            self.states.append({"shown": shown, "first": at, "looks": 0})
        self.states[-1] |= {"last": at, "looks": self.states[-1]["looks"] + 1}

    @property
    def last(self) -> str:
        return str(self.states[-1]["shown"]) if self.states else "nothing"

    @property
    def looks(self) -> int:
        return sum(state["looks"] for state in self.states)

    def __str__(self) -> str:
        return " -> ".join(f"{state['shown']} ({_when(state)})" for state in self.states)


def _when(state: Mapping[str, Any]) -> str:
    if state["looks"] == 1:
        return f"{state['first']:.2f} s"
    return f"{state['first']:.2f} to {state['last']:.2f} s, {state['looks']} looks"


def eventually(subject: str, look: Callable[[], Sight], *, within: float, emit: Emit) -> Seen:
    """Look until it holds, soon again after something changed, more and more rarely while nothing does. What the look raises ends it.
    Raises NotSeen. The journal is told either way."""
    __tracebackhide__ = True
    seen, begun = Seen(), time.monotonic()
    strange: list[str] = []
    ending: list[Ending] = ["broken"]

    def once() -> Verdict:
        __tracebackhide__ = True
        ending[0] = "broken"
        sight = look()
        seen.note(sight.shown)
        ending[0] = "there" if sight.holds else "strange" if sight.strange else "late"
        strange[:] = [sight.strange]
        return READY if sight.holds else never(sight.strange) if sight.strange else not_yet(sight.shown)

    try:
        wait_for(subject, once, within=within, lively=True)
    except EnvironmentFailed as error:
        if ending[0] == "broken":
            raise  # by the look itself
        raise NotSeen(seen, strange=strange[0], within=within) from error
    finally:
        emit(Waited(subject, ending[0], within, round(time.monotonic() - begun, 3), seen.looks, seen.states))
    return seen


def answered(
    subject: str,
    condition: Callable[[], T],
    emit: Emit,
    *,
    within: str | float,
    until: Any = TRUE,
    meanwhile: Any = None,
) -> T:
    """Ask until the answer is `until` (true, unless told: a value, parts of a mapping, or a function of the answer), and give it. Every
    answer before it is among `meanwhile`, where that is told: a list of values, `{field: values}`, or a function. Raises
    EnvironmentFailed with all answers and their times."""
    __tracebackhide__ = True
    answers: list[T] = []

    def look() -> Sight:
        __tracebackhide__ = True
        answers[:] = [condition()]
        shown = repr(answers[0])[:LONGEST]
        holds = _is(answers[0], until)
        return Sight(holds, shown, "" if holds or _may(answers[0], meanwhile) else f"the answer was {shown}")

    limit = within if isinstance(within, int | float) else seconds(within)
    try:
        eventually(subject, look, within=limit, emit=emit)
    except NotSeen as error:
        if error.strange:
            raise EnvironmentFailed(subject, error.cause, "allow it: `meanwhile`, or look why it came") from None
        late = f"{subject} did not become true within {limit:g} s"
        raise EnvironmentFailed(late, f"last answer {error.seen.last}; seen: {error.seen}", "give it more time, or look why not") from None
    return answers[0]


def _is(answer: Any, until: Any) -> bool:
    if until is TRUE:
        return bool(answer)
    return bool(until(answer)) if callable(until) else matching.within(until, answer)


def _may(answer: Any, meanwhile: Any) -> bool:
    if meanwhile is None:
        return True
    if callable(meanwhile):
        return bool(meanwhile(answer))
    if isinstance(meanwhile, Mapping):
        return not strangers(answer, meanwhile)
    return among(answer, meanwhile)


def strangers(answer: Any, meanwhile: Mapping[str, Sequence[Any]]) -> list[str]:
    """The fields of the answer that have none of the values that they may have."""
    return [name for name, may in meanwhile.items() if not among(_get(answer, name), may)]


def among(value: Any, may: Sequence[Any]) -> bool:
    return any(matching.within(one, value) for one in may)


def _get(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else None
