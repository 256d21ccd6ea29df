"""What of a plan is done in a system that exists already and that others use, too, and what is refused there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from seeder.capability import NOTHING, Capability
from seeder.definition.dataset import Dataset
from seeder.definition.request import Definition
from seeder.errors import Problem, counted
from seeder.notice import Notice
from seeder.operation import Check, Make, Plan

ASKED = ("ready",)  # gates that make sense before anything is done there; the others would judge what is not ours
MARKS = "marks"  # the gate that asks whose the things are that steps made


def refused(definition: Definition, offered: Mapping[str, Capability]) -> Iterator[Problem]:
    """What a run would do to the system that nobody could take back."""
    target = definition.stack.target
    if target is None:
        return
    for dataset in definition.datasets:
        if not dataset.upserts:
            yield from _rows(dataset, target.name)
    for step in (step for one in definition.scenario.closure() for step in one.every) if definition.scenario else ():
        about = offered.get(step.use)
        if about and not about.undo:
            cause = f"{about.name} of {about.owner} has no undo, and target {target.name} is shared: what it makes would stay"
            yield Problem(f"step {step.name}", cause, f"ask {about.owner} for an `undo` of it ({about.mark})", step.mark)


def _rows(dataset: Dataset, target: str) -> Iterator[Problem]:
    cause = f"is {dataset.kind} data, and target {target} is shared: rows cannot be loaded there yet"
    yield Problem(dataset.label, cause, "make the state by steps", dataset.mark)


def attach(plan: Plan) -> Plan:
    """The plan without all that would start, migrate, configure or fill the system."""
    target = plan.stack.target
    if target is None:
        return plan
    done = [one for one in (*plan.calls, *plan.acts) if isinstance(one, Make)]
    makes = [one for one in done if one.capability and one.capability.undo != NOTHING]
    steps = tuple(one for one in plan.calls if isinstance(one, Make))
    gates = [check for check in (*plan.gates, *plan.expected) if check.gate in ASKED]
    asked = [check for check in (*plan.gates, *plan.expected) if check.gate == "expect"]
    marks = [
        Check(
            MARKS,
            f"{counted(len(makes), 'step')} that {'makes' if len(makes) == 1 else 'make'} things",
            f"isolation: {target.isolation}",
            MARKS,
        )
    ]
    return replace(
        plan,
        notices=(*plan.notices, *_notices(plan, target.name)),
        additions=(),
        servers=(),
        halts=(),
        migrations=(),
        loads=(),
        services=(),
        calls=steps,
        gates=tuple(gates),
        expected=(*(marks if makes else ()), *asked),
        fitness=replace(plan.fitness, revisions={}, gates=(), references=()),
    )


def _notices(plan: Plan, target: str) -> Iterator[Notice]:
    for dataset in plan.definition.datasets:
        if dataset.upserts:
            yield Notice(dataset.label, f"is not loaded: {target} has {dataset.kind} data of its own")
