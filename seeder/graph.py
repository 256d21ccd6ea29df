"""The graph of a scenario's steps: what comes before what, and whether each is given what its capability wants. Pure."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence

from seeder import shape
from seeder.capability import Capability
from seeder.definition.inputs import Input
from seeder.definition.references import Reference, only, references
from seeder.definition.scenario import Scenario
from seeder.definition.stack import Stack
from seeder.definition.step import OWN, Step
from seeder.errors import Mark, Problem, nearest
from seeder.order import Cycle, sort
from seeder.shape import Nowhere, Shape

Capabilities = Mapping[str, Capability]


def edges(steps: Sequence[Step]) -> dict[str, list[str]]:
    """Step -> those of the same list that must be done before it."""
    names = {step.name for step in steps}
    return {step.name: sorted(set(step.needs()) & names) for step in steps}


def problems(scenario: Scenario, stack: Stack, known: Capabilities) -> list[Problem]:
    """Everything that is wrong with its steps, and with what they are given."""
    return [*_names(scenario), *_cycles(scenario), *_steps(scenario, stack, known), *_told(scenario, known)]


# -- the graph itself -------------------------------------------------------------------------------------------------


def _names(scenario: Scenario) -> Iterator[Problem]:
    made = {step.name for step in scenario.steps}
    every = {step.name for step in scenario.every}
    done = every - made
    for step in scenario.act:
        if step.name in made:
            yield Problem(f"act.{step.name}", "a step of `steps` has this name", "rename one of them", step.mark)
    for key, step in _each(scenario):
        subject, before = f"{key}.{step.name}", every if key == "act" else made
        if step.name in OWN:
            yield Problem(subject, f"{step.name} has a meaning of its own in references", "rename it", step.mark)
        for name in step.needs():
            if key == "steps" and name in done:
                cause = f"needs {name}, which is done in `act`, after all steps"
                yield Problem(subject, cause, f"move {step.name} to `act`, or {name} to `steps`", step.mark)
            elif name not in before:
                yield Problem(subject, f"there is no step {name}", nearest(name, sorted(before - {step.name})), step.mark)


def _each(scenario: Scenario) -> Iterator[tuple[str, Step]]:
    yield from ((key, step) for key, steps in scenario.lists.items() for step in steps)


def _cycles(scenario: Scenario) -> Iterator[Problem]:
    for steps in scenario.lists.values():
        try:
            sort(edges(steps))
        except Cycle as error:
            first = next(step for step in steps if step.name == error.path[0])
            yield Problem(scenario.name, f"steps form a cycle: {error}", "remove one of these edges", first.mark)


# -- what steps are given ---------------------------------------------------------------------------------------------


def _steps(scenario: Scenario, stack: Stack, known: Capabilities) -> Iterator[Problem]:
    results = shapes(scenario, known)
    for key, step in _each(scenario):
        subject = f"{key}.{step.name}"
        if step.watch is None and step.use not in known:
            yield Problem(subject, f"there is no capability {step.use}", nearest(step.use, sorted(known)), step.mark)
            continue
        if step.watch and step.watch.service not in stack.services and step.watch.service not in stack.absent:
            cause = f"stack {stack.name} has no service {step.watch.service}"
            yield Problem(subject, cause, nearest(step.watch.service, sorted(stack.services)), step.mark)
        here = ChainMap(_members(step, results), results)
        yield from _repeated(subject, step, here)
        yield from _given(subject, step, known[step.use], here) if step.use else ()
        yield from _nowhere(subject, step, here)


def left_out(scenario: Scenario, stack: Stack) -> Iterator[Problem]:
    """Steps that wait for services that are not part of this run."""
    for key, step in _each(scenario):
        if step.watch and step.watch.service not in stack.services and (why := stack.absent.get(step.watch.service)):
            cause = f"waits for {step.watch.service}, which is not part of this run: {why}"
            yield Problem(f"{key}.{step.name}", cause, "let it take part: --services and --profile say what does", step.mark)


def shapes(scenario: Scenario, known: Capabilities) -> dict[str, Shape]:
    """Root of references -> what it holds."""
    inputs = {"type": "object", "properties": {one.name: _of_input(one) for one in scenario.inputs}, "additionalProperties": False}
    found: dict[str, Shape] = {"inputs": inputs}
    for _, step in _each(scenario):
        one = known[step.use].outputs if step.use in known else shape.ANY
        found[step.name] = {"type": "array", "items": one, "$defs": one.get("$defs", {})} if step.many else one
    return found


def _of_input(one: Input) -> Shape:
    return {"enum": list(one.enum)} if one.enum else {"type": one.type}


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
    wanted = shape.resolved(capability.inputs)
    names, whose = shape.names(wanted), f"{capability.name} of {capability.owner}"
    for name in step.given:
        if names is not None and name not in names:
            yield Problem(f"{subject}.with.{name}", f"{whose} takes no {name}", nearest(name, names), step.mark)
    for name in wanted.get("required", ()):
        if name not in step.given:
            yield Problem(f"{subject}.with", f"{whose} needs {name}", f"add {name}: ...", step.mark)
    for name, value in step.given.items():
        if name in (wanted.get("properties") or {}):
            yield from _fits(f"{subject}.with.{name}", value, shape.at(wanted, (name,)), known, step)


def _repeated(subject: str, step: Step, known: Mapping[str, Shape]) -> Iterator[Problem]:
    """What tells how often it is done."""
    for key, value, wanted, words in (("for_each", step.each, "array", "a list"), ("count", step.count, "integer", "a whole number")):
        given = _at(reference, known) if (reference := only(value)) else None
        if given is not None and (why := shape.misfit(given, {"type": wanted})):
            yield Problem(f"{subject}.{key} {value}", why, f"refer to {words}, or write one", step.mark)


def _fits(subject: str, value: object, wanted: Shape, known: Mapping[str, Shape], step: Step) -> Iterator[Problem]:
    if reference := only(value):
        given = _at(reference, known)
        if given is not None and (why := shape.misfit(given, wanted)):
            yield Problem(f"{subject} {value}", why, "refer to something else, or change what gives it", step.mark)
    elif not list(references(value)):
        for path, why in shape.mistakes(value, wanted):
            remedy = f"`seeder generator show {step.use}` tells what it takes"
            yield Problem(".".join([subject, *map(str, path)]), why, remedy, step.mark)


def _nowhere(subject: str, step: Step, known: Mapping[str, Shape]) -> Iterator[Problem]:
    """References that lead to nothing."""
    for reference in step.references():
        if reference.root in OWN and reference.root not in known:
            cause = f"${{{reference.root}}} has a meaning only with {'for_each' if reference.root == 'each' else 'for_each or count'}"
            yield Problem(subject, cause, "add it, or refer to a step", step.mark)
        yield from _led(subject, reference, known, step.mark)


def _told(scenario: Scenario, known: Capabilities) -> Iterator[Problem]:
    """What is told and expected of results."""
    results = shapes(scenario, known)
    marks = {step.name: step.mark for _, step in _each(scenario)}
    written: list[tuple[str, object, Mark | None]] = [(f"outputs.{name}", value, None) for name, value in scenario.outputs.items()]
    written += [
        (f"expect {one.kind}", [one.parameters, one.path, one.subject, one.where, one.key, one.equals], one.mark) for one in scenario.expect
    ]
    for subject, value, mark in written:
        for reference in references(value):
            if reference.root in marks:
                yield from _led(subject, reference, results, mark or marks[reference.root])


def _led(subject: str, reference: Reference, known: Mapping[str, Shape], mark: Mark) -> Iterator[Problem]:
    try:
        shape.at(known.get(reference.root, shape.ANY), reference.way)
    except Nowhere as error:
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
