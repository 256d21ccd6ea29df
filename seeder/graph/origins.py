"""Whence records come: through services, as the product makes them, or inserted into a store. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from seeder.definition.dataset import Dataset, Part
from seeder.definition.scenario import Scenario
from seeder.errors import Problem
from seeder.passed.capability import Capability
from seeder.passed.operation import Load, Make, Plan

RECORDS = frozenset({"table", "sql", "keys", "messages"})  # kinds of parts that hold what services would make


def of(plan: Plan) -> dict[str, list[str]]:
    """Origin -> the datasets and capabilities whose records come so, whether this run makes them or a layer holds them."""
    plan = plan.full or plan
    asked = [one.capability for one in (*plan.calls, *plan.acts) if isinstance(one, Make) and one.capability]
    found: dict[str, set[str]] = {
        "services": {one.dataset.label for one in plan.calls if not isinstance(one, Make)},
        "inserted": {one.dataset.label for one in (*plan.halts, *plan.loads) if isinstance(one, Load)},
    }
    for capability in asked:
        found[capability.origin].add(capability.name)
    return {origin: sorted(names) for origin, names in found.items()}


def inserts(dataset: Dataset, parts: Collection[Part]) -> bool:
    """Whether it puts business records into stores. Lookups and settings are no such: no service takes them."""
    return not dataset.upserts and any(part.kind in RECORDS for part in parts)


def refused(scenario: Scenario, inserting: Collection[Dataset], known: Mapping[str, Capability]) -> Iterator[Problem]:
    """What inserts although the scenario, one that it uses, or a step demands that records come through services."""
    yield from dict.fromkeys(_refused(scenario, {dataset.name: dataset for dataset in inserting}, known, ""))


def _refused(scenario: Scenario, inserting: Mapping[str, Dataset], known: Mapping[str, Capability], who: str) -> Iterator[Problem]:
    """`who` demands it of the whole of it; nobody, where that is empty."""
    who = who or (f"scenario {scenario.name}" if scenario.through else "")
    for wanted in scenario.data if who else ():
        if dataset := inserting.get(wanted.name):
            cause = f"{dataset.label} is loaded into its stores, and {who} demands records that come through services"
            yield Problem(f"data {wanted.name}", cause, "load it by requests (SERVICE/NAME.http), or ask capabilities", wanted.mark)
    for key, step in scenario.keyed:
        asking = who or (f"step {step.name}" if step.through else "")
        if step.state and step.state in scenario.uses:
            yield from _refused(scenario.uses[step.state], inserting, known, asking)
        capability = known.get(step.use)
        if asking and capability and capability.origin == "inserted":
            cause = f"{capability.name} of {capability.owner} writes into a store, and {asking} demands records that come through services"
            remedy = f"ask a capability that acts through services, or {capability.owner} to offer one"
            yield Problem(f"{key}.{step.name}", cause, remedy, step.mark)
