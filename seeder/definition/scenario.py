"""A scenario: a business state that can be asked for, and what is expected of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any

from seeder.definition.expectation import Expectation, filled_in
from seeder.definition.extension import Gates
from seeder.definition.inputs import Input, Value, given
from seeder.definition.marked import mark_of
from seeder.definition.references import Nowhere, filled
from seeder.definition.scope import Known, Spread, spread
from seeder.definition.step import Step
from seeder.definition.variant import Mutation
from seeder.errors import Collector, EnvironmentFailed, Mark, Problem, UsageError, nearest
from seeder.frozen import frozen

__all__ = ["DatasetRef", "Expectation", "Input", "Scenario", "Value", "bind", "strangers"]


@frozen
class DatasetRef:
    """`name` or `name@version`; a version may be a prefix (`3.2`)."""

    name: str
    version: str | None
    mark: Mark


@frozen
class Scenario:
    """A business state: what makes it (data, then `steps`), what is done in it (`act`), what is expected then. Values may hold
    `${inputs.NAME}` and `${STEP.OUTPUT}`; `bind` sets `values`, `fill` fills in. A step may stand for another scenario's (`uses`).
    `variants`: what is expected instead once something went wrong with the events of a step, by what and with which (empty: any)."""

    name: str
    version: str
    stack: str
    path: Path
    mark: Mark
    description: str = ""
    owner: str | None = None
    through: bool = False  # its records have to come through services
    tags: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    data: tuple[DatasetRef, ...] = ()
    disabled: tuple[str, ...] = ()  # services whose caches are switched off
    steps: tuple[Step, ...] = ()
    act: tuple[Step, ...] = ()
    expect: tuple[Expectation, ...] = ()
    variants: Mapping[tuple[Mutation, str], tuple[Expectation, ...]] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    gates: Gates = field(default_factory=Gates)
    uses: Mapping[str, Scenario] = field(default_factory=dict, repr=False)  # those that its steps use, by name
    values: Mapping[str, Value] = field(default_factory=dict)  # input -> its value, once bound
    problems: tuple[Problem, ...] = ()  # what is wrong with its file: then it holds what of it is sound, and cannot be asked for
    written: Any = field(default=None, compare=False, repr=False)  # as the file has it, with its marks
    removed: Mapping[str, Mark] = field(default_factory=dict, compare=False, repr=False)  # steps that an overlay takes away

    def place(self, *way: str | int) -> Mark:
        """Where a part of it was written."""
        return mark_of(self.written, way) or self.mark

    def spread(self) -> Spread:
        """All steps, those of the scenarios that it uses among them."""
        return spread(self)

    def closure(self) -> list[Scenario]:
        """The scenarios that it uses, at whatever depth, each once and before those that use it; then itself."""
        found: dict[str, Scenario] = {}
        _gather(self, found)
        return list(found.values())

    @property
    def lists(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps by the key that they stand under, in the order in which the keys are done."""
        return {"steps": self.steps, "act": self.act}

    @property
    def keyed(self) -> Iterator[tuple[str, Step]]:
        """Each of them with its key."""
        return ((key, step) for key, steps in self.lists.items() for step in steps)

    @property
    def every(self) -> tuple[Step, ...]:
        """All of them."""
        return (*self.steps, *self.act)

    @property
    def told(self) -> Iterator[tuple[str, Any, Mark]]:
        """What it tells and expects of results, which may hold references: what it is, how it is written, and where."""
        yield from ((f"outputs.{name}", value, self.place("outputs", name)) for name, value in self.outputs.items())
        expected = [*self.expect, *(one for every in self.variants.values() for one in every)]
        yield from ((f"expect {one.kind}", one.parts, one.mark) for one in expected)


def _gather(scenario: Scenario, found: dict[str, Scenario]) -> None:
    for name, one in scenario.uses.items():
        if name not in found:
            _gather(one, found)
    found[scenario.name] = scenario


def bind(scenario: Scenario, values: Mapping[str, str]) -> Scenario:
    """The scenario with its inputs' values, and with expectations and outputs filled in, unless there are steps, whose results they may
    hold: `fill` does it then. `values` are texts, as `--set NAME=VALUE` gives them. Raises UsageError with everything that is wrong with
    the values."""
    problems = Collector()
    bound = given(scenario.inputs, values, problems)
    problems.raise_if_any(UsageError)
    scenario = dataclasses.replace(scenario, values=bound)
    return scenario if scenario.every else fill(scenario, {})


def fill(scenario: Scenario, results: Mapping[str, Any]) -> Scenario:
    """Expectations and outputs with the values of inputs and the results of steps. A value that is one reference as a whole keeps its
    type. Query parameters that `with` does not name are taken from the outputs, then from the inputs. Raises EnvironmentFailed with all
    references that lead to nothing: only the results tell."""
    known, lost = Known(scenario.spread().scope, results), Collector()
    outputs, expect = dict[str, Any](), list[Expectation]()
    for name, value in scenario.outputs.items():
        with _leading(f"outputs.{name}", scenario.place("outputs", name), lost):
            outputs[name] = filled(value, known)
    for expectation in scenario.expect:
        with _leading(f"expect {expectation.kind}", expectation.mark, lost):
            expect.append(filled_in(expectation, known, {**scenario.values, **outputs}))
    lost.raise_if_any(EnvironmentFailed)
    return dataclasses.replace(scenario, expect=tuple(expect), outputs=outputs)


@contextmanager
def _leading(subject: str, mark: Mark, lost: Collector) -> Iterator[None]:
    try:
        yield
    except Nowhere as error:
        lost.add(subject, str(error), error.remedy, mark)


def strangers(scenario: Scenario, services: Collection[str]) -> Iterator[Problem]:
    """What it expects of services that are not among these, all that the files of its stack name: so much is known of a stack that
    cannot be read whole."""
    for expectation in scenario.expect:
        what = "service" if expectation.service else "store"
        name = expectation.service or expectation.store
        if name and name.split("/")[0] not in services:
            cause = f"stack {scenario.stack} has no {what} {name}"
            yield Problem(f"expect {expectation.kind}", cause, nearest(name, sorted(services)), expectation.mark)
