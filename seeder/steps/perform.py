"""Bring about the steps of a scenario along their graph, each written in the ledger before it is asked for and when it is known what came
of it."""

from __future__ import annotations

import json
import time
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from seeder.definition.expectation import filled_in
from seeder.definition.references import Nowhere, filled
from seeder.definition.scope import Known, needs
from seeder.definition.step import Step
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, GateRefused
from seeder.events import Made
from seeder.evidence import redact
from seeder.order import along
from seeder.passed.capability import OURS, Asked, Capability
from seeder.passed.fitness import Fitness
from seeder.passed.operation import EXPECT, Make
from seeder.protocols import Generator
from seeder.registry import GATES, generators
from seeder.steps import sequence
from seeder.steps.asking import ask
from seeder.steps.ledger import Entry, Ledger
from seeder.steps.tried import Tried
from seeder.steps.watching import watch

SHOWN: Final = 400  # characters of inputs in a message


def steps(environment: Environment, stage: str, operations: Sequence[Make]) -> None:
    """All of them are done, each after those that it needs, and their results are known. Raises EnvironmentFailed naming the first that
    was not, its capability, owner and inputs."""
    if not operations:
        return
    offered, ledger = generators(environment.stack), Ledger(environment.run.folder)
    by_name = {operation.step.name: operation for operation in operations}

    def do(name: str) -> None:
        operation, begun = by_name[name], time.monotonic()
        step, known = operation.step, _known(environment, operation.step)
        environment.tell(stage, name, "making", operation.detail)
        with _leading(step):
            if step.watch:
                made = watch(environment, step, step.watch, known)
            elif step.events:
                made = _published(environment, step, known)
            elif step.expect:
                _refuse(environment, step, known)
                made = None
            else:
                made = _made(environment, stage, operation, offered, ledger, known)
        environment.results[name] = made
        environment.tell(stage, name, "made", operation.detail, round(time.monotonic() - begun, 3))

    try:
        along({name: by_name.keys() & set(operation.after) for name, operation in by_name.items()}, do)  # a set may hold the others
    except BaseException:
        environment.stop_steps()
        raise


def _known(environment: Environment, step: Step) -> Mapping[str, Any]:
    if step.scope is None:
        raise TypeError(f"{step.name} was not laid out; the plan should have done it")
    return Known(step.scope, environment.results)


@contextmanager
def _leading(step: Step) -> Iterator[None]:
    """A reference that leads to nothing is the step's to mend: files could not tell it."""
    try:
        yield
    except Nowhere as error:
        raise EnvironmentFailed(f"step {step.name}", str(error), error.remedy, step.mark) from error


def _published(environment: Environment, step: Step, known: Mapping[str, Any]) -> sequence.Made:
    events = sequence.made(step, known, environment.run.seed, environment.run.mark)
    sequence.tell(environment, step, list(sequence.posts(events).values()))
    return events


def _refuse(environment: Environment, step: Step, known: Mapping[str, Any]) -> None:
    """Raises GateRefused with all that is expected by then and does not hold."""
    expected = tuple(filled_in(one, known, known["inputs"]) for one in step.expect)
    if found := list(GATES.get(EXPECT).check(Fitness({}, expectations=expected), environment)):
        raise GateRefused.of(replace(one, subject=f"step {step.name}: {one.subject}") for one in found)


def _made(
    environment: Environment, stage: str, operation: Make, offered: Mapping[str, Generator], ledger: Ledger, known: Mapping[str, Any]
) -> Any:
    step, generator = operation.step, offered[operation.step.use]
    if not step.many:
        return _one(environment, stage, operation, generator, ledger, Asked(step.name, key=step.key), filled(dict(step.given), known))
    made = []
    for place, member in enumerate(_members(step, known)):  # one after another: what they make is numbered alike each time
        call = Asked(f"{step.name}[{place}]", place, f"{step.key}[{place}]")
        made.append(_one(environment, stage, operation, generator, ledger, call, filled(dict(step.given), ChainMap(member, known))))  # type: ignore[arg-type]
    return made


def _members(step: Step, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What `each` and `index` are for every member: of a list, so many times, or so many of each."""
    if step.each is None:
        yield from ({"index": place} for place in range(_count(step, known)))
        return
    found = filled(step.each, known)
    if not isinstance(found, list):
        cause = f"for_each is no list: {step.each} came to {found!r}"
        raise EnvironmentFailed(f"step {step.name}", cause, "write a list, or refer to one", step.place("for_each"))
    times = 1 if step.count is None else _count(step, known)
    of_each = [value for value in found for _ in range(times)]
    yield from ({"each": value, "index": place} for place, value in enumerate(of_each))


def _count(step: Step, known: Mapping[str, Any]) -> int:
    count = filled(step.count, known)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        cause = f"count is no whole number from 0: {step.count} came to {count!r}"
        raise EnvironmentFailed(f"step {step.name}", cause, "write one, or refer to one", step.place("count"))
    return count


def _one(
    environment: Environment, stage: str, operation: Make, generator: Generator, ledger: Ledger, call: Asked, given: dict[str, Any]
) -> Any:
    about = generator.capability
    after, begun = tuple(sorted(needs(operation.step))), time.monotonic()
    kept: dict[str, Any] = {"given": given, "after": after, "index": call.index, "at": time.time(), "key": call.key}
    entry = Entry(call.step, about.name, about.version, about.owner, about.origin, **kept)
    with environment.making(call.step):
        ledger.begin(entry)
        last = ask(
            environment, generator, call, given, over=lambda: environment.stopped,
            again=lambda reason: environment.tell(stage, operation.step.name, "again", f"{call.step}: {reason}"),
        )  # fmt: skip
        ledger.ended(call.step, last.state, made=last.made, reason=last.reason)
    environment.emit(Made(call.step, about.name, about.version, about.owner, about.origin, last.state, round(time.monotonic() - begun, 3)))
    if last.state != "confirmed":
        raise _failed(operation, about, call, given, last)
    return last.made


def _failed(operation: Make, about: Capability, call: Asked, given: Mapping[str, Any], last: Tried) -> EnvironmentFailed:
    inputs = json.dumps(redact.tree(dict(given)), ensure_ascii=False, default=str)
    shown = inputs if len(inputs) <= SHOWN else f"{inputs[:SHOWN]}..."
    left = "; whether it was made is unknown" if last.state == "unknown" else ""
    cause = f"{about.name} {about.version} of {about.owner}, given {shown}: {last.reason}{left}"
    whom = f"ask {last.blame}" if last.blame else f"ask {about.owner}{f' ({about.contact})' if about.contact else ''}"
    remedy = (
        f"`seeder generator show {about.name}` tells what it takes" if about.owner == OURS else f"{whom}; it is written in {about.mark}"
    )
    return EnvironmentFailed(f"step {call.step}", cause, remedy, operation.step.mark, log=last.log)
