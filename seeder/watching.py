"""A state that a service comes to: its answer is looked at until it is there, and every state on the way is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from seeder import matching
from seeder.definition.references import filled
from seeder.definition.step import Step, Watch
from seeder.errors import EnvironmentFailed
from seeder.events import Noticed
from seeder.frozen import frozen
from seeder.protocols import World
from seeder.wait import READY, Verdict, never, not_yet, wait_for

LONGEST: Final = 400  # characters of an answer in a message


def watch(world: World, step: Step, wanted: Watch, known: Mapping[str, Any]) -> Any:
    """The body of the answer that holds what is waited for. Raises EnvironmentFailed with every state that was seen, and when, where one
    is not allowed on the way or the time is over."""
    import httpx

    path, until = filled(wanted.path, known, in_url=True), filled(dict(wanted.until), known)
    meanwhile = filled({name: list(may) for name, may in wanted.meanwhile.items()}, known)
    seen: list[tuple[float, str]] = []
    begun, body = time.monotonic(), None

    def look() -> Verdict:
        nonlocal body
        try:
            answer = world.http(wanted.service).get(path)
        except httpx.HTTPError as error:
            return not_yet(_sequence([*seen, (time.monotonic() - begun, f"no answer: {str(error) or type(error).__name__}")]))
        body = matching.read(answer.text)
        sight = judged(answer.status_code, body, until, meanwhile)
        if not seen or seen[-1][1] != sight.shown:
            seen.append((time.monotonic() - begun, sight.shown))
        if sight.strange:
            return never(f"{sight.strange}, which is not allowed on the way: {_sequence(seen)}")
        return READY if sight.holds else not_yet(_sequence(seen))

    try:
        wait_for(step.name, look, within=wanted.within)
    except EnvironmentFailed as error:
        cause = f"{wanted.service}{path} did not come to {matching.words(until)}: {error.problems[0].cause}"
        remedy = f"look at the log of {wanted.service}, or give it longer: `within`"
        raise EnvironmentFailed(f"step {step.name}", cause, remedy, step.mark, log=error.log) from error
    world.emit(Noticed(step.name, f"{wanted.service}{path} came to {matching.words(until)}: {_sequence(seen)}"))
    return body


@frozen
class Sight:
    """One look: whether what is waited for is there, what is not allowed on the way, and all of it for a message."""

    holds: bool
    shown: str
    strange: str = ""


def judged(status: int, body: Any, until: Mapping[str, Any], meanwhile: Mapping[str, Sequence[Any]]) -> Sight:
    """What an answer says of the state. An error says that it is not there yet."""
    if not 200 <= status < 300:  # noqa: PLR2004  (success)
        return Sight(holds=False, shown=f"answered {status}")
    shown = _shown(body, [*until, *meanwhile])
    if matching.within(dict(until), body):
        return Sight(holds=True, shown=shown)
    strange = [f"{name} is {matching.words(_get(body, name))}" for name, may in meanwhile.items() if not _among(_get(body, name), may)]
    return Sight(holds=False, shown=shown, strange=", ".join(strange))


def _among(value: Any, may: Sequence[Any]) -> bool:
    return any(matching.within(one, value) for one in may)


def _get(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, Mapping) else None


def _shown(body: Any, names: Sequence[str]) -> str:
    if not isinstance(body, Mapping):
        return str(body)[:LONGEST]
    return ", ".join(f"{name} {matching.words(body.get(name))}" for name in dict.fromkeys(names))


def _sequence(seen: Sequence[tuple[float, str]]) -> str:
    return " -> ".join(f"{shown} ({at:.2f} s)" for at, shown in seen)
