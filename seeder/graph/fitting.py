"""Whether each step of a scenario is given what its capability wants, and whether references lead somewhere. Pure."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seeder.definition.references import Reference, only, references
from seeder.definition.scenario import Scenario
from seeder.definition.stack import Stack
from seeder.definition.step import OWN, Step
from seeder.errors import Mark, Problem, nearest
from seeder.frozen import frozen
from seeder.graph.usable import ACTED, Capabilities, of_events, shapes, usable
from seeder.passed.capability import KINDS, NAMES, Capability
from seeder.promises import shape
from seeder.promises.shape import Nowhere, Shape


def problems(scenario: Scenario, stack: Stack, known: Capabilities) -> Iterator[Problem]:
    """Everything that is wrong with what its steps are given, and with what is told and expected of their results."""
    known = usable(scenario, known)
    yield from _steps(scenario, stack, known)
    yield from _states(scenario)
    yield from _told(scenario, known)


def _steps(scenario: Scenario, stack: Stack, known: Capabilities) -> Iterator[Problem]:
    results = shapes(scenario, known)
    for key, step in scenario.keyed:
        subject = f"{key}.{step.name}"
        if step.use and step.use not in known:
            if not step.state:  # which scenarios there are is told where they are read
                yield Problem(subject, f"there is no capability {step.use}", nearest(step.use, sorted(known)), step.place("use"))
            continue
        if step.watch and step.watch.service not in stack.services and step.watch.service not in stack.absent:
            cause = f"stack {stack.name} has no service {step.watch.service}"
            yield Problem(subject, cause, nearest(step.watch.service, stack.answering), step.mark)
        elif step.watch and (why := stack.speechless(step.watch.service)):
            yield Problem(subject, why, nearest(step.watch.service, stack.answering), step.place("eventually", "get"))
        here = ChainMap(_members(step, results), of_events(step), results)
        yield from _repeated(subject, step, here)
        yield from _given(subject, step, known[step.use], here) if step.use else ()
        yield from _called(subject, step, stack, known[step.use]) if step.use else ()
        yield from _published(subject, step, here)
        yield from _nowhere(subject, step, here)


def _states(scenario: Scenario) -> Iterator[Problem]:
    """What is wrong with how scenarios are used: one state is there once, however often it is asked for."""
    same: dict[str, Step] = {}
    for key, step in scenario.keyed:
        if step.state and step.many:
            cause = f"scenario {step.state} is used once: a state is there, or it is not"
            mark = step.place("count" if step.each is None else "for_each")
            yield Problem(f"{key}.{step.name}", cause, "repeat steps that use capabilities", mark)
        first = same.setdefault(json.dumps([step.use, dict(step.given)], sort_keys=True, default=str), step) if step.state else step
        if first is not step:
            cause = f"asks for the same state as {first.name}, scenario {step.state} with the same inputs, and that is there once"
            yield Problem(f"{key}.{step.name}", cause, f"refer to {first.name}, or give it other inputs", step.place("use"))


def _members(step: Step, results: Mapping[str, Shape]) -> dict[str, Shape]:
    """What `${each}` and `${index}` are in the step."""
    if not step.many:
        return {}
    member: Shape = shape.ANY
    if isinstance(step.each, list):
        kinds = {kind for value in step.each for kind in shape.kinds({"const": value})}
        member = {"type": sorted(kinds)} if kinds and not list(references(step.each)) else shape.ANY
    elif reference := only(step.each):
        listed = _at(reference, results)
        member = shape.resolved(listed.get("items", shape.ANY), listed) if isinstance(listed, Mapping) else shape.ANY
    return {"index": {"type": "integer"}, **({"each": member} if step.each is not None else {})}


def _given(subject: str, step: Step, capability: Capability, known: Mapping[str, Shape]) -> Iterator[Problem]:
    whose = f"{capability.name}{f' of {capability.owner}' if capability.owner else ''}"
    tells = f"`seeder {f'scenario show {step.state}' if step.state else f'generator show {step.use}'}` tells what it takes"
    yield from _fields(_Wanted(subject, step, ("with",), whose, tells, known), step.given, capability.inputs)


def _called(subject: str, step: Step, stack: Stack, capability: Capability) -> Iterator[Problem]:
    """Services and stores of which it is told the name, and which are none."""
    for name, described in shape.resolved(capability.inputs).get("properties", {}).items():
        kind, value = described.get(NAMES), step.given.get(name)
        if kind not in KINDS or not isinstance(value, str) or list(references(value)) or value.partition("/")[0] in stack.absent:
            continue
        known = stack.answering if kind == "service" else sorted(stack.stores)
        if value not in known:
            cause = stack.speechless(value) if kind == "service" else ""
            cause = cause or f"stack {stack.name} has no {kind} {value}"
            yield Problem(f"{subject}.with.{name}", cause, nearest(value, known), step.place("with", name))


def _published(subject: str, step: Step, known: Mapping[str, Shape]) -> Iterator[Problem]:
    """Payloads that are not as the types of their events say."""
    for event in step.events:
        if event.type is None:
            continue
        if unreadable := list(shape.unreadable(event.type.payload)):
            yield from (Problem(f"{event.type.name} payload", why, "make it a JSON Schema", event.type.mark) for _, why in unreadable)
            continue
        whose = f"{event.type.name}{f' of {event.type.owner}' if event.type.owner else ''}"
        wanted = _Wanted(subject, step, ("events", event.name, "with"), whose, f"see what it holds: {event.type.mark}", known)
        given = {} if event.given is None else event.given
        if isinstance(given, Mapping):
            yield from _fields(wanted, given, event.type.payload)
        else:
            yield from _fits(wanted, (), given, shape.resolved(event.type.payload))


@frozen
class _Wanted:
    """Something that is given to a step, at a way in it: whose it is, who tells what that takes, and what references mean."""

    subject: str
    step: Step
    way: tuple[str, ...]
    whose: str
    tells: str
    known: Mapping[str, Shape]

    def problem(self, rest: Sequence[str | int], cause: str, remedy: str) -> Problem:
        way = (*self.way, *rest)
        return Problem(".".join([self.subject, *map(str, way)]), cause, remedy, self.step.place(*way))


def _fields(wanted: _Wanted, given: Mapping[str, Any], described: Shape) -> Iterator[Problem]:
    described = shape.resolved(described)
    names = shape.names(described)
    for name in given:
        if names is not None and name not in names:
            yield wanted.problem((name,), f"{wanted.whose} takes no {name}", nearest(name, names) if names else "leave it out")
    for name in described.get("required", ()):
        if name not in given:
            yield wanted.problem((), f"{wanted.whose} needs {name}", f"add {name}: ...")
    for name, value in given.items():
        if name in (described.get("properties") or {}):
            yield from _fits(wanted, (name,), value, shape.at(described, (name,)))


def _repeated(subject: str, step: Step, known: Mapping[str, Shape]) -> Iterator[Problem]:
    """What tells how often it is done."""
    for key, value, wanted, words in (("for_each", step.each, "array", "a list"), ("count", step.count, "integer", "a whole number")):
        given = _at(reference, known) if (reference := only(value)) else None
        if given is not None and (why := shape.misfit(given, {"type": wanted})):
            yield Problem(f"{subject}.{key} {value}", why, f"refer to {words}, or write one", step.place(key))


def _fits(wanted: _Wanted, way: tuple[str, ...], value: object, described: Shape) -> Iterator[Problem]:
    if reference := only(value):
        given = _at(reference, wanted.known)
        if given is not None and (why := shape.misfit(given, described)):
            found = wanted.problem(way, why, "refer to something else, or change what gives it")
            yield replace(found, subject=f"{found.subject} {value}")
    elif not list(references(value)):
        for path, why in shape.mistakes(value, described):
            yield wanted.problem((*way, *path), why, wanted.tells)


def _nowhere(subject: str, step: Step, known: Mapping[str, Shape]) -> Iterator[Problem]:
    """References that lead to nothing."""
    for reference, mark in step.placed():
        if reference.root in OWN and reference.root not in known:
            cause = f"${{{reference.root}}} has a meaning only with {'for_each' if reference.root == 'each' else 'for_each or count'}"
            yield Problem(subject, cause, "add it, or refer to a step", mark)
        if reference.root != "inputs":  # which inputs there are is told where the file is read
            yield from _led(subject, reference, known, mark)


def _told(scenario: Scenario, known: Capabilities) -> Iterator[Problem]:
    """What is told and expected of results."""
    results = shapes(scenario, known)
    steps = {step.name for step in scenario.every}
    for subject, value, mark in scenario.told:
        for reference in references(value):
            if reference.root in steps:
                yield from _led(subject, reference, results, mark)


def _led(subject: str, reference: Reference, known: Mapping[str, Shape], mark: Mark) -> Iterator[Problem]:
    try:
        shape.at(known.get(reference.root, shape.ANY), reference.way)
    except Nowhere as error:
        lost = str(error.rest[0])
        if acted := error.met.get(ACTED, {}).get(lost):
            cause = f"{reference.root} gives {lost} only once it has acted ({', '.join(acted)}), which is no part of its state"
            yield Problem(f"{subject} {reference}", cause, "move what makes it to `steps` of that scenario, or do it here", mark)
            return
        if isinstance(error.rest[0], int) and "maxItems" in error.met:
            last = error.met["maxItems"] - 1
            remedy = f"they are counted from 0, and the last one is [{last}]" if last >= 0 else "let it make some"
            yield Problem(f"{subject} {reference}", f"{reference.root} gives {last + 1}, and no [{lost}]", remedy, mark)
            return
        remedy = _instead(reference, error.rest, error.met)
        yield Problem(f"{subject} {reference}", f"{reference.root} gives no {error.rest[0]}", remedy, mark)


def _instead(reference: Reference, rest: Sequence[str | int], met: Shape) -> str:
    """What may be meant where the rest of a reference's way leads nowhere."""
    if there := shape.names(met):
        return nearest(str(rest[0]), there)
    way = reference.way[: -len(rest)]
    if "array" in shape.kinds(met):
        return f"it is a list: write {str(Reference(reference.root, (*way, 0, *rest)))[2:-1]}, or [*]"
    return f"{Reference(reference.root, way)} is {shape.words(shape.kinds(met))}, which has no parts: refer to it as a whole"


def _at(reference: Reference, known: Mapping[str, Shape]) -> Shape | None:
    """What it leads to; None where nobody knows or nothing is there, which is told elsewhere."""
    try:
        return shape.at(known[reference.root], reference.way)
    except (KeyError, Nowhere):
        return None
