"""Which scenarios use which: each gets those that its steps name, of its own project or of an installed package."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from seeder.definition.offered import offered
from seeder.definition.scenario import Scenario
from seeder.definition.scenario_reader import read_scenarios
from seeder.definition.step import Step
from seeder.definition.yaml import Document
from seeder.errors import Problem, nearest
from seeder.order import Cycle, sort

GROUP: Final = "seeder.scenarios"  # the entry points of packages; each names a package that has scenario files in its folder


def joined(own: Mapping[str, Scenario], stacks: Collection[str], overlays: Sequence[Document] = ()) -> dict[str, Scenario]:
    """The project's scenarios and those that packages offer for its stacks, each with those that it uses and with what is wrong there."""
    known = dict(own)
    for scenario in _in_packages(stacks, overlays):
        first = known.setdefault(scenario.name, scenario)
        if first is not scenario:
            cause = f"{scenario.path} is a scenario of this name too"
            twice = Problem(scenario.name, cause, "rename one, or uninstall the package that offers the other", first.mark)
            known[scenario.name] = replace(first, problems=(*first.problems, twice))
    return linked(known)


def _in_packages(stacks: Collection[str], overlays: Sequence[Document]) -> Iterator[Scenario]:
    for entry in sorted(offered(GROUP)):
        try:
            spec = importlib.util.find_spec(entry.module)
        except ImportError:
            spec = None
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield from (one for one in read_scenarios(Path(folder), overlays).values() if one.stack in stacks)


def linked(known: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """The same scenarios, each with those that it uses. Those that use each other use none."""
    asked = {name: sorted(_uses(one) & known.keys()) for name, one in known.items()}
    found = {name: replace(one, problems=(*one.problems, *_strange(one, known))) for name, one in known.items()}
    while True:
        try:
            order = sort(asked)
            break
        except Cycle as error:
            circle = _circle(error, known)
            for name in error.path[1:]:
                found[name] = replace(found[name], problems=(*found[name].problems, circle))
                asked[name] = []
    for name in order:
        found[name] = replace(found[name], uses={other: found[other] for other in asked[name]})
    return found


def _uses(scenario: Scenario) -> set[str]:
    return {step.state for step in scenario.every if step.state}


def _strange(scenario: Scenario, known: Mapping[str, Scenario]) -> Iterator[Problem]:
    """What it asks for and cannot have, whatever it gives."""
    for key, step in scenario.keyed:
        if not step.state:
            continue
        subject, other = f"{key}.{step.name}", known.get(step.state)
        if other is None:
            yield Problem(subject, f"there is no scenario {step.state}", nearest(step.state, sorted(known)), step.place("use"))
        elif other.stack and scenario.stack and other.stack != scenario.stack:
            cause = f"scenario {other.name} is for stack {other.stack}, and {scenario.name} for {scenario.stack}"
            yield Problem(subject, cause, "use one for the same stack", step.place("use"))


def _circle(error: Cycle, known: Mapping[str, Scenario]) -> Problem:
    first, second = error.path[0], error.path[1]
    steps: Iterable[Step] = known[first].every
    mark = next(step.place("use") for step in steps if step.state == second)
    return Problem(first, f"scenarios use each other: {error}", "make one of them without the other", mark)
