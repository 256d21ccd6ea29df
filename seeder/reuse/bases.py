"""Sets that are on a plan's way: those of the scenarios that its one uses, whose steps are the first that are done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seeder.definition.scope import Scope
from seeder.passed.layer import Base, Layer
from seeder.passed.operation import Make, Plan


def on_the_way(plan: Plan) -> Iterator[tuple[str, int]]:
    """Scenarios whose state everything comes to, with how many of the plan's calls lead there; the first one first. What datasets send
    comes before all steps, so that a scenario without that data has a set of its own, which is not on the way."""
    steps = [call.step for call in plan.calls if isinstance(call, Make)]
    sent = len(plan.calls) - len(steps)
    scopes: dict[int, Scope] = {id(step.scope): step.scope for step in steps if step.scope and step.scope.outer}
    for scope in scopes.values():
        every = scope.every()
        if {step.name for step in steps[: len(every)]} == every:
            yield scope.label, sent + len(every)


def part(plan: Plan, base: Base) -> Plan:
    """The plan as far as the base goes, as if no more were asked for."""
    return replace(plan, calls=(plan.full or plan).calls[: base.calls], whole=base.id, full=None)


def results(plan: Plan, manifest: Layer) -> dict[str, Any] | None:
    """What the steps of the plan made, by their names here: what draws its values by the same key is the same step. None where the set
    does not tell of each."""
    kept, keys = manifest.facts.get("results", {}), manifest.facts.get("keys", {})
    wanted = {call.step.name: call.step.key for call in plan.calls if isinstance(call, Make)}
    if not keys:
        return dict(kept) if wanted.keys() <= kept.keys() else None
    by_key = {keys[name]: made for name, made in kept.items() if name in keys}
    return {name: by_key[key] for name, key in wanted.items()} if by_key.keys() >= set(wanted.values()) else None


def keys(plan: Plan) -> Mapping[str, str]:
    """Step -> by which its values are drawn, of all that the plan makes or takes from a set."""
    return {call.step.name: call.step.key for call in (plan.full or plan).calls if isinstance(call, Make)}
