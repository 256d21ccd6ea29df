"""What of a plan is done in a system that exists already and that others use, too, and what is refused there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from seeder.definition.dataset import Dataset, Part
from seeder.definition.dataset_parts import left_out
from seeder.definition.request import Definition
from seeder.definition.stack import Stack
from seeder.errors import Problem, counted
from seeder.passed.capability import NOTHING, Capability
from seeder.passed.notice import Notice
from seeder.passed.operation import Check, Make, Plan
from seeder.planning.soundness import accepted

ASKED = ("ready",)  # gates that make sense before anything is done there; the others would judge what is not ours
MARKS = "marks"  # the gate that asks whose the things are that steps made


def refused(definition: Definition, offered: Mapping[str, Capability], parts: Mapping[str, tuple[Part, ...]]) -> Iterator[Problem]:
    """What a run would do to the system that nobody could take back."""
    target = definition.stack.shared
    if target is None:
        return
    for dataset in definition.datasets:
        if not dataset.upserts:
            yield from _rows(dataset, parts[dataset.label], definition.stack, target.name)
    for step in (step for one in definition.scenario.closure() for step in one.every) if definition.scenario else ():
        if step.events and not target.messages:
            cause = f"publishes messages, and target {target.name} is shared: nobody could take them back"
            yield Problem(f"step {step.name}", cause, "leave it out, or declare `messages: true` for the target", step.mark)
        about = offered.get(step.use)
        if about and not about.undo:
            cause = f"{about.name} of {about.owner} has no undo, and target {target.name} is shared: what it makes would stay"
            yield Problem(f"step {step.name}", cause, f"ask {about.owner} for an `undo` of it ({about.mark})", step.mark)
        if about and not about.shared:
            cause = f"{about.name} touches what is not its own, and target {target.name} is shared: others would notice"
            yield Problem(f"step {step.name}", cause, "leave it out, or take another --runtime", step.mark)
    yield from _uncached(definition, target.name)


def _uncached(definition: Definition, target: str) -> Iterator[Problem]:
    """Caches that the scenario, or one that it uses, switches off."""
    for one in definition.scenario.closure() if definition.scenario else ():
        for service in one.disabled:
            if service in definition.stack.services:
                cause = f"would be switched off, and target {target} is shared: its services stay as they are"
                yield Problem(f"caches.{service}", cause, "leave it out, or take another --runtime", one.place("caches", service))


def _rows(dataset: Dataset, parts: Iterable[Part], stack: Stack, target: str) -> Iterator[Problem]:
    """Only rows of tables can be told from others', by keys of their own."""
    remedy = f"leave {dataset.label} out, and make the state by steps"
    for part in parts:
        if part.kind != "table":
            cause = f"holds {part.kind}: {part.path.name}, and target {target} is shared: nobody could take back what it does there"
            yield Problem(dataset.label, cause, remedy, dataset.mark)
    if dataset.seed or dataset.loads_at:
        key = "seed" if dataset.seed else "loads_at"
        yield Problem(dataset.label, f"says `{key}`, which target {target} cannot have: it is shared", remedy, dataset.mark)
    for name in left_out(dataset, stack):
        if _takes_rows(name, stack):
            cause, mend = f"has files for {name}, and target {target} does not declare it", f"add {name} to the target"
        else:
            cause, mend = f"has files for {name}, and target {target} is shared: nobody could take back what they do there", remedy
        yield Problem(dataset.label, cause, mend, dataset.mark)


def _takes_rows(server: str, stack: Stack) -> bool:
    """Whether files for what the target does not declare could be rows of tables, if it did."""
    held = [store for store in (*stack.stores.values(), *stack.unasked.values()) if store.service == server]
    return any("table" in accepted(stack).get(store.engine, ()) for store in held)


def attach(plan: Plan) -> Plan:
    """The plan without all that would start, migrate, configure or fill the system."""
    target = plan.stack.shared
    if target is None:
        return plan
    done = [one for one in (*plan.calls, *plan.acts) if isinstance(one, Make)]
    makes = [one for one in done if one.capability and one.capability.undo != NOTHING]
    steps = tuple(one for one in plan.calls if isinstance(one, Make))
    gates = [check for check in (*plan.gates, *plan.expected) if check.gate in ASKED]
    loads = [load for load in plan.loads if not load.dataset.upserts]
    required = [(load.dataset.label, one) for load in loads for one in load.dataset.requires if one.subject in load.parts]
    heads = [Check("heads", counted(len(required), "requirement"), "of datasets", "heads")] if required else []
    asked = [check for check in (*plan.gates, *plan.expected) if check.gate == "expect"]
    marks = [
        Check(
            MARKS,
            f"{counted(len(makes), 'step')} and {counted(len(loads), 'dataset')} that may make things",
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
        loads=tuple(replace(load, cause="under keys of this run's own") for load in loads),
        services=(),
        calls=steps,
        gates=(*gates, *heads),
        expected=(*(marks if makes or loads else ()), *asked),
        fitness=replace(plan.fitness, gates=(), references=(), required=tuple(required)),
    )


def _notices(plan: Plan, target: str) -> Iterator[Notice]:
    for dataset in plan.definition.datasets:
        if dataset.upserts:
            yield Notice(dataset.label, f"is not loaded: {target} has {dataset.kind} data of its own")
