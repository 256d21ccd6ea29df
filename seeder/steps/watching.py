"""A state that a service comes to: its answer is looked at until it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.definition.references import filled
from seeder.definition.step import Step, Watch
from seeder.errors import EnvironmentFailed, in_words
from seeder.handles import matching
from seeder.handles.eventual import LONGEST, NotSeen, Sight, eventually, strangers
from seeder.protocols import World


def watch(world: World, step: Step, wanted: Watch, known: Mapping[str, Any]) -> Any:
    """The body of the answer that holds what is waited for. Raises EnvironmentFailed with every state that was seen, and when, where one
    is not allowed on the way or the time is over."""
    import httpx

    path, until = filled(wanted.path, known, in_url=True), filled(dict(wanted.until), known)
    meanwhile = filled({name: list(may) for name, may in wanted.meanwhile.items()}, known)
    body = None

    def look() -> Sight:
        nonlocal body
        try:
            answer = world.http(wanted.service).get(path)
        except httpx.HTTPError as error:
            return Sight(holds=False, shown=f"no answer: {in_words(error)}")
        body = matching.read(answer.text)
        return judged(answer.status_code, body, until, meanwhile)

    try:
        eventually(step.name, look, within=wanted.within, emit=world.emit)
    except NotSeen as error:
        cause = f"{wanted.service}{path} did not come to {matching.words(until)}: {error.cause}"
        remedy = f"look at the log of {wanted.service}, or give it longer: `within`"
        if error.strange:
            remedy = f"look at the log of {wanted.service}, or allow it: `meanwhile`"
        raise EnvironmentFailed(f"step {step.name}", cause, remedy, step.mark) from error
    return body


def judged(status: int, body: Any, until: Mapping[str, Any], meanwhile: Mapping[str, Sequence[Any]]) -> Sight:
    """What an answer says of the state. An error says that it is not there yet."""
    if not 200 <= status < 300:  # noqa: PLR2004  (success)
        return Sight(holds=False, shown=f"answered {status}")
    shown = _shown(body, [*until, *meanwhile])
    if matching.within(dict(until), body):
        return Sight(holds=True, shown=shown)
    strange = [f"{name} is {matching.words(body.get(name) if isinstance(body, Mapping) else None)}" for name in strangers(body, meanwhile)]
    return Sight(holds=False, shown=shown, strange=", ".join(strange))


def _shown(body: Any, names: Sequence[str]) -> str:
    if not isinstance(body, Mapping):
        return str(body)[:LONGEST]
    return ", ".join(f"{name} {matching.words(body.get(name))}" for name in dict.fromkeys(names))
