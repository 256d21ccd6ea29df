"""A scenario: a business state that can be asked for, and what is expected of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from seeder.definition.dataset import PartKind
from seeder.definition.extension import Gates
from seeder.definition.inputs import Input, Value, given
from seeder.definition.marked import mark_of
from seeder.definition.references import Nowhere, filled, named_parameters
from seeder.definition.scope import Known, Spread, spread
from seeder.definition.stack import Stack
from seeder.definition.step import Step
from seeder.errors import Collector, EnvironmentFailed, Mark, Problem, UsageError, nearest
from seeder.frozen import frozen

__all__ = ["DatasetRef", "Expectation", "Input", "Scenario", "Value", "bind", "settle", "strangers"]


@frozen
class Expectation:
    """One observation that must hold, within a time limit (seconds).

    kind query: `store`, `query`, `parameters`, `equals` (a scalar, or rows as lists).
    kind http:  `service`, `method`, `path`, `status`, `equals` (a subset of the JSON body).
    kind event: `store`, `subject`, `where` (a subset of the payload), `at_least`.
    kind key:   `store`, `key`, `equals`, or `exists`.
    kind stub:  `store`, `where` (method, path, query, headers, body of a call that was received), `at_least`, or `count`.
    """

    kind: Literal["query", "http", "event", "key", "stub"]
    mark: Mark
    store: str = ""  # of an event or a key: empty until `settle` finds the only store that holds such
    service: str = ""
    query: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    path: str = ""
    status: int = 200
    subject: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    at_least: int = 1
    count: int | None = None
    key: str = ""
    exists: bool | None = None
    equals: Any = None
    compares: bool = False  # `equals` was written (it may be null)
    within: float = 5.0


@frozen
class DatasetRef:
    """`name` or `name@version`; a version may be a prefix (`3.2`)."""

    name: str
    version: str | None
    mark: Mark


@frozen
class Scenario:
    """A business state: what makes it (data, then `steps`), what is done in it (`act`), what is expected then. Values may hold
    `${inputs.NAME}` and `${STEP.OUTPUT}`; `bind` sets `values`, `fill` fills in. A step may stand for another scenario's (`uses`)."""

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
    steps: tuple[Step, ...] = ()
    act: tuple[Step, ...] = ()
    expect: tuple[Expectation, ...] = ()
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
            expect.append(_filled(expectation, known, {**scenario.values, **outputs}))
    lost.raise_if_any(EnvironmentFailed)
    return dataclasses.replace(scenario, expect=tuple(expect), outputs=outputs)


@contextmanager
def _leading(subject: str, mark: Mark, lost: Collector) -> Iterator[None]:
    try:
        yield
    except Nowhere as error:
        lost.add(subject, str(error), error.remedy, mark)


def _filled(expectation: Expectation, known: Mapping[str, Any], named: Mapping[str, Any]) -> Expectation:
    parameters = {name: filled(value, known) for name, value in expectation.parameters.items()}
    taken = {name: named[name] for name in named_parameters(expectation.query) if name not in parameters and name in named}
    return dataclasses.replace(
        expectation,
        parameters={**parameters, **taken},
        path=filled(expectation.path, known, in_url=True),
        subject=filled(expectation.subject, known, as_text=True),
        where=filled(expectation.where, known),
        key=filled(expectation.key, known, as_text=True),
        equals=filled(expectation.equals, known),
    )


_HELD: Final[Mapping[str, tuple[PartKind, str]]] = {
    "query": ("table", "tables"),
    "event": ("messages", "messages"),
    "key": ("keys", "keys"),
    "stub": ("mappings", "calls"),
}


def settle(scenario: Scenario, stack: Stack, accepts: Mapping[str, Collection[PartKind]]) -> Scenario:
    """The scenario with each expectation's store known to the stack: one that was left out is the only store that holds such,
    whatever part of the stack this run is asked for. Expectations of services that are absent from it are left out. Raises
    DefinitionError naming unknown stores and services."""
    problems = Collector()
    settled = [_settled(expectation, stack, accepts, problems) for expectation in scenario.expect]
    problems.raise_if_any()
    return dataclasses.replace(scenario, expect=tuple(expectation for expectation in settled if expectation))


def _settled(
    expectation: Expectation, stack: Stack, accepts: Mapping[str, Collection[PartKind]], problems: Collector
) -> Expectation | None:
    server = expectation.service or expectation.store.split("/")[0]
    if server in stack.absent and server not in stack.services:
        return None
    if expectation.kind == "http":
        if expectation.service not in stack.services:
            cause = f"stack {stack.name} has no service {expectation.service}"
            problems.add("expect http", cause, nearest(expectation.service, sorted(stack.services)), expectation.mark)
        return expectation
    kind, words = _HELD[expectation.kind]
    # An engine that nobody knows is refused for itself.
    stores = {**stack.stores, **stack.unasked}
    holding = [name for name, store in sorted(stores.items()) if kind in accepts.get(store.engine, (kind,))]
    subject = f"expect {expectation.kind}"
    if not expectation.store:
        if len(holding) == 1:
            return dataclasses.replace(expectation, store=holding[0]) if holding[0] in stack.stores else None
        cause = f"no store is named, and stack {stack.name} has {len(holding)} that hold {words}"
        problems.add(subject, cause, f"add `store`: {', '.join(holding)}" if holding else "remove it", expectation.mark)
    elif expectation.store not in stack.stores:
        remedy = nearest(expectation.store, holding)
        problems.add(subject, f"stack {stack.name} has no store {expectation.store}", remedy, expectation.mark)
    elif expectation.store not in holding:
        cause = f"store {expectation.store} is {stack.stores[expectation.store].engine} and holds no {words}"
        problems.add(subject, cause, f"name one of {', '.join(holding)}" if holding else "remove it", expectation.mark)
    return expectation


def strangers(scenario: Scenario, services: Collection[str]) -> Iterator[Problem]:
    """What it expects of services that are not among these, all that the files of its stack name: so much is known of a stack that
    cannot be read whole."""
    for expectation in scenario.expect:
        what = "service" if expectation.service else "store"
        name = expectation.service or expectation.store
        if name and name.split("/")[0] not in services:
            cause = f"stack {scenario.stack} has no {what} {name}"
            yield Problem(f"expect {expectation.kind}", cause, nearest(name, sorted(services)), expectation.mark)
