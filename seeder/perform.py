"""Bring about the steps of a scenario along their graph: each asked for until it is known what came of it, and written in the ledger."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from seeder import redact
from seeder.capability import Asked, Capability
from seeder.definition.duration import seconds
from seeder.definition.references import filled
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, Problem
from seeder.events import Noticed
from seeder.frozen import frozen
from seeder.ledger import Entry, Ledger, State
from seeder.operation import Make
from seeder.order import along, aside
from seeder.outcome import DependencyFailed, Never, Outcome, TryAgain
from seeder.protocols import Generator
from seeder.registry import generators
from seeder.wait import READY, Verdict, never, not_yet, wait_for

TRIES: Final = 4  # the time limit of a step, in time limits of one try
LONGEST: Final = 0.25  # seconds between looks at whether a step is to be tried again
SHOWN: Final = 400  # characters of inputs in a message


@frozen
class Tried:
    """What is known after one try. `again`: seconds after which another one may work."""

    state: State
    reason: str = ""
    made: Any = None
    again: float | None = None
    blame: str = ""  # who else is to be asked
    log: str = field(default="", compare=False)


def steps(environment: Environment, stage: str, operations: Sequence[Make]) -> None:
    """All of them are done, each after those that it needs, and their results are known. Raises EnvironmentFailed naming the first that
    was not, its capability, owner and inputs."""
    if not operations:
        return
    known, ledger = generators(environment.stack), Ledger(environment.run.folder)
    by_name = {operation.step.name: operation for operation in operations}

    def do(name: str) -> None:
        operation, begun = by_name[name], time.monotonic()
        environment.tell(stage, name, "making", operation.detail)
        if operation.step.watch:
            environment.results[name] = watch(environment, operation)
        else:
            environment.results[name] = _made(environment, operation, known[operation.step.use], ledger)
        environment.tell(stage, name, "made", operation.detail, round(time.monotonic() - begun, 3))

    along({name: operation.after for name, operation in by_name.items()}, do)


def undo(environment: Environment, ledger: Ledger) -> list[Problem]:
    """Take back what the ledger says may be there, in reverse; what could not be is answered, and does not keep the rest."""
    known, left = generators(environment.stack), []
    for entry in ledger.standing():
        generator = known.get(entry.capability)
        if entry.made is None or generator is None or not generator.capability.undoes:
            left.append(Problem(entry.id, f"{entry.capability} of {entry.owner} made it, and takes nothing back", "remove it by hand"))
            continue
        try:
            generator.undo(environment, Asked(entry.id), entry.made)
        except Exception as error:  # noqa: BLE001  (it is the team's: whatever it raises is told, and the rest goes on)
            left.append(Problem(entry.id, f"{entry.capability} of {entry.owner} could not take it back: {error}", "remove it by hand"))
            continue
        ledger.ended(entry.id, "undone")
    return left


# -- one step ---------------------------------------------------------------------------------------------------------


def _made(environment: Environment, operation: Make, generator: Generator, ledger: Ledger) -> Any:
    step = operation.step
    known = {**environment.results, "inputs": _inputs(environment)}
    if not step.many:
        return _one(environment, operation, generator, ledger, Asked(step.name), filled(dict(step.given), known))
    made = []
    for place, member in enumerate(_members(operation, known)):  # one after another: what they make is numbered alike each time
        call = Asked(f"{step.name}[{place}]", place)
        made.append(_one(environment, operation, generator, ledger, call, filled(dict(step.given), {**known, **member})))
    return made


def _members(operation: Make, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What `each` and `index` are for every member."""
    step = operation.step
    if step.each is not None:
        found = filled(step.each, known)
        if not isinstance(found, list):
            raise EnvironmentFailed(f"step {step.name}", f"for_each is no list: {found!r}", mark=step.mark)
        yield from ({"each": value, "index": place} for place, value in enumerate(found))
        return
    count = filled(step.count, known)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise EnvironmentFailed(f"step {step.name}", f"count is no number from 0: {count!r}", mark=step.mark)
    yield from ({"index": place} for place in range(count))


def _inputs(environment: Environment) -> Mapping[str, Any]:
    scenario = environment.plan.definition.scenario
    return scenario.values if scenario else {}


def _one(environment: Environment, operation: Make, generator: Generator, ledger: Ledger, call: Asked, given: dict[str, Any]) -> Any:
    about = generator.capability
    ledger.begin(Entry(call.step, about.name, about.version, about.owner, about.origin, given=redact.tree(given), after=operation.after))
    last = Tried("begun")
    due = time.monotonic()

    def look() -> Verdict:
        nonlocal last, due
        if time.monotonic() < due:
            return not_yet(last.reason)
        last = _try(environment, generator, call, given, again=last.state == "unknown")
        if last.again is None:
            return READY if last.state == "confirmed" else never(last.reason, last.log)
        due = time.monotonic() + last.again
        return not_yet(last.reason)

    try:
        wait_for(f"step {call.step}", look, within=TRIES * about.within, longest=LONGEST)
    except EnvironmentFailed as error:
        state: State = "unknown" if last.state == "unknown" else "failed"
        ledger.ended(call.step, state, made=last.made, reason=last.reason)
        raise _failed(operation, about, call, given, last, state) from error
    ledger.ended(call.step, "confirmed", made=last.made)
    return last.made


def _try(environment: Environment, generator: Generator, call: Asked, given: Mapping[str, Any], *, again: bool) -> Tried:
    """Ask once. After a try of which nobody knows what came of it, what it may have made is looked for first."""
    about = generator.capability
    try:
        if again and about.finds and (found := generator.find(environment, call, given)) is not None:
            return Tried("confirmed", made=found)
        return Tried("confirmed", made=_timed(about, lambda: generator.make(environment, call, given)))
    except TryAgain as outcome:
        return Tried("failed", outcome.reason, again=seconds(outcome.after) if isinstance(outcome.after, str) else outcome.after)
    except DependencyFailed as outcome:
        return Tried("failed", outcome.reason, blame=outcome.who)
    except (Never, Outcome) as outcome:
        return Tried("failed", outcome.reason)
    except EnvironmentFailed as error:
        return Tried("unknown", error.problems[0].cause, log=error.log)
    except Exception as error:  # noqa: BLE001  (whatever a team's function raises is told as its)
        return _raised(about, error)


def _timed(about: Capability, work: Any) -> Any:
    """The answer, or TimeoutError. A function that goes on after its time is left behind: it ends with the process."""
    answer = aside(work, within=about.within)
    return answer()


def _raised(about: Capability, error: Exception) -> Tried:
    import httpx

    again = 0.5 if about.repeats else None
    if isinstance(error, httpx.ConnectError):
        return Tried("failed", f"nobody answers: {error}", again=0.5)
    if isinstance(error, httpx.HTTPStatusError):
        answer = error.response
        said = f"{answer.request.method} {answer.request.url.path} was answered with {answer.status_code}: {answer.text[:SHOWN]}"
        return Tried("unknown", said, again=again) if answer.is_server_error else Tried("failed", said)
    if isinstance(error, httpx.TransportError | TimeoutError):
        return Tried("unknown", f"no answer: {error or type(error).__name__}", again=again)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(about.mark.file)]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return Tried("unknown", f"{type(error).__name__}: {error}{where}")


def _failed(operation: Make, about: Capability, call: Asked, given: Mapping[str, Any], last: Tried, state: State) -> EnvironmentFailed:
    inputs = json.dumps(redact.tree(dict(given)), ensure_ascii=False, default=str)
    shown = inputs if len(inputs) <= SHOWN else f"{inputs[:SHOWN]}..."
    left = "; whether it was made is unknown" if state == "unknown" else ""
    cause = f"{about.name} {about.version} of {about.owner}, given {shown}: {last.reason}{left}"
    whom = f"ask {last.blame}" if last.blame else f"ask {about.owner}{f' ({about.contact})' if about.contact else ''}"
    return EnvironmentFailed(f"step {call.step}", cause, f"{whom}; it is written in {about.mark}", operation.step.mark, log=last.log)


# -- a state that is waited for ---------------------------------------------------------------------------------------


def watch(environment: Environment, operation: Make) -> Any:
    """The body of the answer that holds what is waited for. Raises EnvironmentFailed with every state that was seen, and when, where one
    is not allowed on the way or the time is over."""
    import httpx

    step, wanted = operation.step, operation.step.watch
    if wanted is None:
        raise TypeError("a step without watch")
    known = {**environment.results, "inputs": _inputs(environment)}
    path, until = filled(wanted.path, known, in_url=True), filled(dict(wanted.until), known)
    seen: list[tuple[float, str]] = []
    begun, body = time.monotonic(), None

    def look() -> Verdict:
        nonlocal body
        try:
            answer = environment.http(wanted.service).get(path)
        except httpx.HTTPError as error:
            return not_yet(f"no answer: {error}")
        body = _json(answer)
        shown = _shown(body, until, wanted.meanwhile)
        if not seen or seen[-1][1] != shown:
            seen.append((time.monotonic() - begun, shown))
        if _holds(body, until):
            return READY
        if strange := [f"{name} is {_get(body, name)!r}" for name, may in wanted.meanwhile.items() if _get(body, name) not in may]:
            return never(f"{', '.join(strange)}, which is not allowed on the way: {_sequence(seen)}")
        return not_yet(_sequence(seen))

    wait_for(f"step {step.name}: {wanted.service}{path}", look, within=wanted.within)
    environment.emit(Noticed(step.name, f"{wanted.service}{path} came to {until}: {_sequence(seen)}"))
    return body


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _get(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, Mapping) else None


def _holds(body: Any, until: Mapping[str, Any]) -> bool:
    return all(_get(body, name) == value for name, value in until.items())


def _shown(body: Any, until: Mapping[str, Any], meanwhile: Mapping[str, Any]) -> str:
    if not isinstance(body, Mapping):
        return str(body)[:SHOWN]
    return ", ".join(f"{name} {body.get(name)!r}" for name in dict.fromkeys([*until, *meanwhile]))


def _sequence(seen: Sequence[tuple[float, str]]) -> str:
    return " -> ".join(f"{shown} ({at:.2f} s)" for at, shown in seen)
