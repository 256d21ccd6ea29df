"""Try what may go wrong with the scenario's events, one thing after another in one environment: each begins at the state before them."""

from __future__ import annotations

import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from seeder.definition.expectation import Expectation, filled_in
from seeder.definition.references import Nowhere, filled
from seeder.definition.scope import Known
from seeder.definition.variant import Mutation
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, GateRefused, Problem
from seeder.evidence.story import Story
from seeder.graph import mutations
from seeder.graph.mutations import Variant
from seeder.passed.fitness import Fitness
from seeder.passed.operation import EXPECT, Plan
from seeder.registry import GATES
from seeder.running import quiet
from seeder.steps import perform, sequence

AS_TOLD = "as told"
STAGE = "variants"


def every(environment: Environment, plan: Plan, wanted: Iterable[Mutation], story: Story, back: Callable[[], object]) -> None:
    """The events as the plan has them, then with each mutation of each of them, each followed by `back`. Raises GateRefused with all that
    is not as expected."""
    trying, refused = _Trying(environment, plan), list[Problem]()
    rows: list[dict[str, Any]] = story.result.facts.setdefault("variants", [])
    with story.stage(STAGE):
        for variant in (None, *mutations.variants(trying.sequences, wanted)):
            name, begun = str(variant or AS_TOLD), time.monotonic()
            found = trying.one(variant) if variant else trying.whole()
            seconds, findings = round(time.monotonic() - begun, 3), [f"{one.subject}: {one.cause}" for one in found]
            rows.append({"variant": name, "result": "refused" if found else "passed", "seconds": seconds, "findings": findings})
            environment.tell(STAGE, name, rows[-1]["result"], "; ".join(findings), seconds)
            refused += [replace(one, subject=f"{name}: {one.subject}") for one in found]
            trying.begin()
            back()
    if refused:
        raise GateRefused.of(refused)


class _Trying:
    """The events of the plan's scenario in an environment that stands before them."""

    def __init__(self, environment: Environment, plan: Plan) -> None:
        if plan.definition.scenario is None:
            raise TypeError("only a scenario has events")
        self._environment, self._plan, self._scenario = environment, plan, plan.definition.scenario
        self._before = dict(environment.results)
        self._events = mutations.events(plan)

    @property
    def sequences(self) -> list[list[str]]:
        """The names of the events of each step."""
        return [[event.name for event in one.step.events] for one in self._events]

    def begin(self) -> None:
        """Nothing is known of what was tried before, nor has it failed."""
        self._environment.stopped = False
        self._environment.results.clear()
        self._environment.results |= self._before

    def whole(self) -> list[Problem]:
        """All that the scenario does, as it is written."""
        try:
            perform.steps(self._environment, STAGE, mutations.rest(self._plan))
        except (EnvironmentFailed, GateRefused) as error:
            return list(error.problems)
        return self._expected(self._scenario.expect)

    def one(self, variant: Variant) -> list[Problem]:
        """What consumers come to where this is wrong with the events. Other steps that come after them are not done: what they wait for may
        never come."""
        try:
            self._publish(variant)
        except EnvironmentFailed as error:
            return list(error.problems)
        return self._expected(mutations.expected(self._scenario, variant))

    def _publish(self, variant: Variant) -> None:
        us = self._environment
        for operation in self._events:
            step = operation.step
            if step.scope is None:
                raise TypeError(f"{step.name} was not laid out; the plan should have done it")
            made = sequence.made(step, Known(step.scope, us.results), us.run.seed, us.run.mark)
            posts = sequence.posts(made)
            wrong = variant.event in posts or not variant.event
            for batch in mutations.mutated(posts, variant) if wrong else [list(posts.values())]:
                sequence.tell(us, step, batch, again=True)
                quiet.settle(us)
            us.results[step.name] = made

    def _expected(self, wanted: Iterable[Expectation]) -> list[Problem]:
        known = Known(self._scenario.spread().scope, self._environment.results)
        named = ChainMap(dict(self._scenario.values), _told(self._scenario.outputs, known))
        found, ready = list[Problem](), list[Expectation]()
        for one in wanted:
            try:
                ready.append(filled_in(one, known, named))
            except (Nowhere, KeyError) as error:
                cause = f"it hangs on what is not done where events go wrong: {error}"
                found.append(Problem(f"expect {one.kind}", cause, "say under `variants` what is expected then", one.mark))
        return [*found, *GATES.get(EXPECT).check(Fitness({}, expectations=tuple(ready)), self._environment)]


def _told(outputs: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that are known."""
    found = {}
    for name, value in outputs.items():
        with suppress(Nowhere, KeyError):
            found[name] = filled(value, known)
    return found
