"""Scenarios that use scenarios, laid out: one list of steps, and what the references in each of them mean. Pure.

A step that uses a scenario stands for that one's steps. Who asks for the same state twice (a scenario with equal inputs, at whatever depth)
gets it once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from seeder.definition.references import Reference, filled, references
from seeder.definition.step import Step
from seeder.frozen import frozen
from seeder.order import sort

if TYPE_CHECKING:
    from seeder.definition.scenario import Scenario


@frozen
class Scope:
    """A scenario that takes part: the one that is asked for, or one that a step of another uses.

    `label`: by which values of its steps are drawn. `path` stands before their names. `inputs` of one that is used may hold references
    that `outer` knows. `used`: step -> the scenario that it uses. `before`: steps that come before all of its own.
    """

    label: str
    path: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    outer: Scope | None = field(default=None, repr=False)
    steps: list[str] = field(default_factory=list)  # its own, by their names among all
    used: dict[str, Scope] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)

    def every(self) -> set[str]:
        """Its steps, and those of all that it uses."""
        return {*self.steps, *(name for one in self.used.values() for name in one.every())}

    def reached(self, names: Iterable[str]) -> set[str]:
        """The steps that must be done for what its steps of these names give."""
        return {step for name in names for step in (self.used[name].every() if name in self.used else [self.path + name])}

    def wait(self, names: set[str]) -> None:
        """All of it comes after these."""
        self.before.update(names - self.every())
        for one in self.used.values():
            one.wait(names)


class Values(Mapping[str, Any]):
    """Named values that may hold references, each filled in when it is asked for."""

    def __init__(self, written: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        self._written, self._known = written, known

    def __getitem__(self, name: str) -> Any:
        return filled(self._written[name], self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._written

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


class Known(Mapping[str, Any]):
    """Root of references in a scope -> what it holds, given what steps made (by their names among all)."""

    def __init__(self, scope: Scope, results: Mapping[str, Any]) -> None:
        self._scope, self._results = scope, results

    def __getitem__(self, root: str) -> Any:
        scope = self._scope
        if root == "inputs":
            return scope.inputs if scope.outer is None else Values(scope.inputs, Known(scope.outer, self._results))
        if used := scope.used.get(root):
            return Values(used.outputs, Known(used, self._results))
        return self._results[scope.path + root]

    def __contains__(self, root: object) -> bool:
        return root == "inputs" or root in self._scope.used or f"{self._scope.path}{root}" in self._results

    def __iter__(self) -> Iterator[str]:
        made = (name.removeprefix(self._scope.path) for name in self._scope.steps if name in self._results)
        return iter(["inputs", *self._scope.used, *made])

    def __len__(self) -> int:
        return len(list(iter(self)))


def needs(step: Step) -> set[str]:
    """The steps, by their names among all, that must be done before it."""
    scope = step.scope
    return set(step.needs()) if scope is None else scope.before | scope.reached(step.needs())


def described(value: Any, scope: Scope) -> Any:
    """The value such that it is equal for all who mean the same by it, whatever their steps are called: with inputs filled in, and what
    steps give named by what they draw their values by."""
    found = list(references(value))
    if all(_is_told(reference, scope) for reference in found):
        return filled(value, Known(scope, {}))
    return {"is": value, "of": {str(reference): meaning(reference, scope) for reference in found}}


def meaning(reference: Reference, scope: Scope) -> Any:
    """The same of one reference."""
    way = list(reference.way)
    if reference.root == "inputs":
        value = scope.inputs.get(str(way[0]) if way else "")
        return value if scope.outer is None else described(value, scope.outer)
    if (used := scope.used.get(reference.root)) and way:
        return {"by": used.label, "gives": described(used.outputs.get(str(way[0])), used), "way": way[1:]}
    return {"by": f"{scope.label}/{reference.root}", "way": way}


def _is_told(reference: Reference, scope: Scope) -> bool:
    """Whether files and inputs tell what it leads to."""
    first = str(reference.way[0]) if reference.way else ""
    if reference.root == "inputs":
        return scope.outer is None or all(_is_told(one, scope.outer) for one in references(scope.inputs.get(first)))
    used = scope.used.get(reference.root)
    return used is not None and first in used.outputs and all(_is_told(one, used) for one in references(used.outputs[first]))


# -- laying out -------------------------------------------------------------------------------------------------------


@frozen
class Spread:
    """All steps of a scenario that is sound and of those that it uses, the used ones before those that use them, and its own scope."""

    scope: Scope
    steps: tuple[Step, ...] = ()
    act: tuple[Step, ...] = ()

    @property
    def lists(self) -> Mapping[str, tuple[Step, ...]]:
        """As `Scenario.lists`."""
        return {"steps": self.steps, "act": self.act}

    @property
    def every(self) -> tuple[Step, ...]:
        """All of them."""
        return (*self.steps, *self.act)


def spread(scenario: Scenario) -> Spread:
    """Lay it out; `values` are its inputs."""
    scope = Scope(scenario.name, inputs=scenario.values, outputs=scenario.outputs)
    laying = _Laying()
    return Spread(scope, tuple(laying.out(scenario, "steps", scope)), tuple(laying.out(scenario, "act", scope)))


class _Laying:
    def __init__(self) -> None:
        self._known: dict[str, Scope] = {}  # a scenario with its inputs -> the one that takes part for all who ask for it
        self._labels: set[str] = set()

    def out(self, scenario: Scenario, key: str, scope: Scope) -> list[Step]:
        self._labels.add(scope.label)
        steps: dict[str, Step] = {step.name: step for step in getattr(scenario, key)}
        before: list[Step] = []
        if any(step.state for step in steps.values()):
            for name in sort({name: set(step.needs()) & steps.keys() for name, step in steps.items()}):
                before += self._using(scenario, steps[name], scope) if steps[name].state else ()
        own = [step.laid_out(scope) for step in steps.values() if not step.state]
        scope.steps.extend(step.name for step in own)
        return [*before, *own]

    def _using(self, scenario: Scenario, step: Step, scope: Scope) -> list[Step]:
        """The steps that come to those that there are already."""
        wanted = scenario.uses[step.state or ""]
        inputs = {one.name: step.given.get(one.name, _written(one.default)) for one in wanted.inputs}
        same = json.dumps([wanted.name, {name: described(value, scope) for name, value in inputs.items()}], sort_keys=True, default=str)
        waits = scope.before | scope.reached(step.needs())
        if known := self._known.get(same):
            known.wait(waits)
            scope.used[step.name] = known
            return []
        label = wanted.name if wanted.name not in self._labels else f"{scope.label}.{step.name}"
        made = Scope(label, f"{scope.path}{step.name}/", inputs, wanted.outputs, scope, before=waits)
        self._known[same] = scope.used[step.name] = made
        return self.out(wanted, "steps", made)


def _written(value: Any) -> Any:
    """A value as it would be written, where `$` begins references."""
    return value.replace("$", "$$") if isinstance(value, str) else value
