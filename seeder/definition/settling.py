"""Which store is meant where a scenario names none, and whether the stack has what is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from seeder.definition.dataset import PartKind
from seeder.definition.expectation import Expectation
from seeder.definition.scenario import Scenario
from seeder.definition.stack import Stack
from seeder.definition.step import Step
from seeder.errors import Collector, Mark, nearest

Accepts = Mapping[str, Collection[PartKind]]  # engine -> what its stores take

_HELD: Final[Mapping[str, tuple[PartKind, str]]] = {
    "query": ("table", "tables"),
    "event": ("messages", "messages"),
    "events": ("messages", "messages"),
    "key": ("keys", "keys"),
    "stub": ("mappings", "calls"),
}


def settle(scenario: Scenario, stack: Stack, accepts: Accepts) -> Scenario:
    """The scenario with each store known to the stack that it expects something of or publishes to: one that was left out is the only
    store that holds such, whatever part of the stack this run is asked for. Expectations of services that are absent from it are left
    out. Raises DefinitionError naming unknown stores and services."""
    settling = _Settling(stack, accepts)
    settled = dataclasses.replace(
        settling.steps(scenario),
        expect=settling.every(scenario.expect),
        variants={variant: settling.every(expected) for variant, expected in scenario.variants.items()},
    )
    settling.problems.raise_if_any()
    return settled


class _Settling:
    def __init__(self, stack: Stack, accepts: Accepts) -> None:
        self._stack, self._accepts = stack, accepts
        self.problems = Collector()

    def every(self, expected: Iterable[Expectation]) -> tuple[Expectation, ...]:
        return tuple(one for one in map(self._expectation, expected) if one)

    def steps(self, scenario: Scenario) -> Scenario:
        """Its steps, and those of the scenarios that it uses."""
        lists = {key: tuple(map(self._step, steps)) for key, steps in scenario.lists.items()}
        uses = {name: self.steps(one) for name, one in scenario.uses.items()}
        return dataclasses.replace(scenario, steps=lists["steps"], act=lists["act"], uses=uses)

    def _step(self, step: Step) -> Step:
        store = self._store("events", step.store, f"step {step.name}", step.place("store")) if step.events else ""
        return dataclasses.replace(step, store=store, expect=self.every(step.expect))

    def _expectation(self, expectation: Expectation) -> Expectation | None:
        server = expectation.service or expectation.store.split("/")[0]
        if server in self._stack.absent and server not in self._stack.services:
            return None
        if expectation.kind == "http":
            if expectation.service not in self._stack.services:
                cause = f"stack {self._stack.name} has no service {expectation.service}"
                self.problems.add("expect http", cause, nearest(expectation.service, self._stack.answering), expectation.mark)
            elif why := self._stack.speechless(expectation.service):
                self.problems.add("expect http", why, nearest(expectation.service, self._stack.answering), expectation.mark)
            return expectation
        store = self._store(expectation.kind, expectation.store, f"expect {expectation.kind}", expectation.mark)
        return dataclasses.replace(expectation, store=store) if store or expectation.store else None

    def _store(self, what: str, named: str, subject: str, mark: Mark) -> str:
        """The store that is meant: empty where it is not part of this run, or nobody can tell."""
        stack, (kind, words) = self._stack, _HELD[what]
        # An engine that nobody knows is refused for itself.
        stores = {**stack.stores, **stack.unasked}
        holding = [name for name, store in sorted(stores.items()) if kind in self._accepts.get(store.engine, (kind,))]
        if not named and len(holding) == 1:
            return holding[0] if holding[0] in stack.stores else ""
        offered = f"name one of {', '.join(holding)}" if holding else "remove it"
        if not named:
            cause = f"no store is named, and stack {stack.name} has {len(holding)} that hold {words}"
            self.problems.add(subject, cause, f"add `store`: {', '.join(holding)}" if holding else "remove it", mark)
        elif named not in stack.stores and named.split("/", maxsplit=1)[0] not in stack.absent:
            self.problems.add(subject, f"stack {stack.name} has no store {named}", nearest(named, holding), mark)
        elif named in stack.stores and named not in holding:
            cause = f"store {named} is {stack.stores[named].engine} and holds no {words}"
            self.problems.add(subject, cause, offered, mark)
        return named
