"""The graph of a scenario's steps: what comes before what. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seeder.definition.overlay import TAKEN
from seeder.definition.references import references
from seeder.definition.scenario import Scenario
from seeder.definition.stack import Stack
from seeder.definition.step import OWN, Step
from seeder.errors import Mark, Problem, nearest
from seeder.graph import fitting
from seeder.graph.usable import Capabilities
from seeder.order import Cycle, sort
from seeder.passed.capability import Capability


def of(steps: Sequence[Step]) -> dict[str, list[str]]:
    """Step -> those of the same list that must be done before it."""
    names = {step.name for step in steps}
    return {step.name: sorted(set(step.needs()) & names) for step in steps}


def problems(scenario: Scenario, stack: Stack, known: Capabilities) -> list[Problem]:
    """Everything that is wrong with its steps, and with what they are given; not with those of the scenarios that it uses."""
    return [*_names(scenario), *_cycles(scenario), *fitting.problems(scenario, stack, known)]


def _names(scenario: Scenario) -> Iterator[Problem]:
    made = {step.name for step in scenario.steps}
    every = {step.name for step in scenario.every}
    done = every - made
    for step in scenario.act:
        if step.name in made:
            yield Problem(f"act.{step.name}", "a step of `steps` has this name", "rename one of them", step.mark)
    for key, step in scenario.keyed:
        subject, before = f"{key}.{step.name}", every if key == "act" else made
        if step.name in OWN:
            yield Problem(subject, f"{step.name} has a meaning of its own in references", "rename it", step.mark)
        yield from _events(subject, step, every)
        for name, mark in _needed(step):
            if key == "steps" and name in done:
                cause = f"needs {name}, which is done in `act`, after all steps"
                yield Problem(subject, cause, f"move {step.name} to `act`, or {name} to `steps`", mark)
            elif name in scenario.removed and name not in before:
                yield Problem(subject, f"needs {name}, which is removed here", TAKEN, scenario.removed[name])
            elif name not in before:
                yield Problem(subject, f"there is no step {name}", nearest(name, sorted(before - {step.name})), mark)


def _needed(step: Step) -> Iterator[tuple[str, Mark]]:
    """The steps that it needs, with the places that say so."""
    yield from ((name, step.place("after", place)) for place, name in enumerate(step.after))
    yield from ((reference.root, mark) for reference, mark in step.placed() if reference.root not in step.own)


def _events(subject: str, step: Step, steps: set[str]) -> Iterator[Problem]:
    """What events are called, and that they refer only to those before them."""
    before: set[str] = set()
    for event in step.events:
        if event.name in steps:
            yield Problem(f"{subject}.events.{event.name}", "a step has this name", "rename one of them", event.mark)
        for reference in references([event.given, event.headers]):
            if reference.root in step.own - OWN - before:
                cause = f"{reference} is known only once {reference.root} is published, and that comes later"
                yield Problem(f"{subject}.events.{event.name}", cause, "refer to events before it", event.mark)
        before.add(event.name)


def _cycles(scenario: Scenario) -> Iterator[Problem]:
    for steps in scenario.lists.values():
        try:
            sort(of(steps))
        except Cycle as error:
            by_name = {step.name: step for step in steps}
            edges_of = zip(error.path, error.path[1:], strict=False)
            places = [mark for name, other in edges_of for needed, mark in _needed(by_name[name]) if needed == other]
            changed = [mark for mark in places if mark.file != scenario.path]  # by an overlay, which is to blame
            mark = (changed or [by_name[error.path[0]].mark])[0]
            yield Problem(scenario.name, f"steps form a cycle: {error}", "remove one of these edges", mark)


def left_out(scenario: Scenario, stack: Stack, known: Capabilities) -> Iterator[Problem]:
    """Steps that wait for services or publish to stores that are not part of this run, or ask whom this machine does not reach."""
    for key, step in scenario.keyed:
        capability = known.get(step.use)
        if (found := _wanted(step, capability)) and (server := found[1].partition("/")[0]) not in stack.services and server in stack.absent:
            cause = f"{' '.join(found)}, which is not part of this run: {stack.absent[server]}"
            yield Problem(f"{key}.{step.name}", cause, "let it take part: --services and --profile say what does", step.mark)
    yield from unasked(scenario, known)


def unasked(scenario: Scenario, known: Capabilities) -> Iterator[Problem]:
    """Steps that ask whom this machine does not reach: a variable is not set, say."""
    for key, step in scenario.keyed:
        capability = known.get(step.use)
        if capability and capability.lacks:
            cause = f"{capability.name} of {capability.owner} cannot be asked here: {capability.lacks}"
            yield Problem(f"{key}.{step.name}", cause, f"it is declared in {capability.mark}", step.mark)


def _wanted(step: Step, capability: Capability | None) -> tuple[str, str] | None:
    """What the step does with a service or a store, and with which."""
    if step.watch:
        return "waits for", step.watch.service
    if step.store:
        return "publishes to", step.store
    return (f"{step.use} is asked of", capability.service) if capability and capability.service else None
