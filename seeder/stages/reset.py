"""Take an environment back to the state in which it was handed over: clients are held, every store is rewound, clients go on."""

from __future__ import annotations

import time
from collections.abc import Iterable

from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Noticed, WasReset
from seeder.order import each
from seeder.passed.operation import Plan
from seeder.passed.rewound import NO_MARK, Rewound, Way
from seeder.protocols import Rewinds
from seeder.running import hold, start

MARKED = "marked"  # the file of a run's folder that is there when all of its stores are marked


def at_rest(environment: Environment, plan: Plan) -> None:
    """Where nothing acts through services, stores that have to be alone for it are marked before services connect to them."""
    if environment.marks and not (plan.calls or plan.acts):
        _mark(environment, [store for store, alone in _fit(environment).items() if alone])


def after_services(environment: Environment, plan: Plan) -> None:
    """The others are marked as services left them, which are held meanwhile. Where something acted through services all stores are:
    services are stopped then, and start anew."""
    if environment.marks and not plan.acts:
        _mark_with_services(environment, plan)


def after_act(environment: Environment, plan: Plan) -> None:
    """The same where the scenario acts: what it did is part of the state in which the environment is handed over."""
    if environment.marks:
        _mark_with_services(environment, plan)


def _mark_with_services(environment: Environment, plan: Plan) -> None:
    running, fit = start.running(environment, plan), _fit(environment)
    if plan.calls or plan.acts:
        start.stop(environment, running)
        _mark(environment, fit)
        start.in_order(environment, plan, running)
    else:
        with hold.still(environment, [one.subject for one in running]):
            _mark(environment, [store for store, alone in fit.items() if not alone])
    for name in sorted(set(environment.stack.stores) - set(fit)):
        engine = environment.stack.stores[name].engine
        environment.emit(Noticed(name, f"{engine} cannot be taken back to a marked state, so this environment cannot be reset"))
    (environment.run.folder / MARKED).touch(mode=0o600)


def reset(environment: Environment, plan: Plan, way: Way = "in place") -> dict[str, Rewound]:
    """Store -> how it was taken back. Raises EnvironmentFailed when a store has no mark or a service has died, before anything is
    touched, or when a store cannot be taken back."""
    begun = time.monotonic()
    with hold.alone(environment):  # another reset may be starting services anew
        _refuse(environment)
        running = start.running(environment, plan)
        with hold.still(environment, [one.subject for one in running]):
            found = hold.every(environment.stack.stores, lambda store: environment.rewinder(store).rewind(way))
        hold.refresh(environment, plan, running, {store: one.restart for store, one in found.items()})
    changed = {store: one.changed for store, one in found.items() if one.way != "untouched"}
    environment.emit(WasReset(sorted(changed), round(time.monotonic() - begun, 4)))
    for store, one in sorted(found.items()):
        for note in one.notes:
            environment.emit(Noticed(store, note))
    return found


def _fit(environment: Environment) -> dict[str, bool]:
    """Stores that can be taken back -> whether nobody may be connected while they are marked."""
    engines = {name: environment.engine(name) for name in environment.stack.stores}
    return {name: engine.marks_alone for name, engine in engines.items() if isinstance(engine, Rewinds)}


def _mark(environment: Environment, stores: Iterable[str]) -> None:
    each(stores, lambda store: environment.rewinder(store).mark())


def _refuse(environment: Environment) -> None:
    """What can be known to fail is told while clients still go on."""
    if target := environment.stack.shared:
        cause = f"is attached to {target.name}, which others use, too: nothing of it is reset"
        raise EnvironmentFailed(environment.run.id, cause, f"`seeder down {environment.run.id}` takes back what this run made")
    if not (environment.run.folder / MARKED).exists():
        cause = "its stores were not marked when it came up, so there is no state to take them back to"
        raise EnvironmentFailed(environment.run.id, cause, NO_MARK)
    environment.refuse_ended()
    for store in environment.stack.stores:
        engine = environment.engine(store)
        if not isinstance(engine, Rewinds):
            raise EnvironmentFailed(store, f"{engine.name} cannot be taken back to a marked state", "start a new environment")
