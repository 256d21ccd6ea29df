"""Give stores what a bundle holds of them: as a part of bringing an environment up, or while it is up."""

from __future__ import annotations

import time
from pathlib import Path

from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import WasRestored
from seeder.evidence import bundle
from seeder.order import along
from seeder.passed.operation import Plan, Restore
from seeder.protocols import Saves
from seeder.running import hold, start


def stores(environment: Environment, plan: Plan) -> None:
    """Every store holds what the bundle holds of it."""
    by_name = {operation.subject: operation for operation in plan.restores}
    along({name: [] for name in by_name}, lambda name: _restore(environment, by_name[name]))


def _restore(environment: Environment, operation: Restore) -> None:
    begun = time.monotonic()
    environment.tell("restore", operation.subject, "restoring", operation.detail)
    _give(environment, operation.subject, operation.folder)
    environment.tell("restore", operation.subject, "restored", operation.detail, round(time.monotonic() - begun, 3))


def _give(environment: Environment, store: str, folder: Path) -> str:
    """Why the store's clients cannot go on now; nothing where they can."""
    engine = environment.engine(store)
    if not isinstance(engine, Saves):
        raise EnvironmentFailed(store, f"{engine.name} cannot take up what was saved")
    return engine.restore(environment.target(store), folder)


def again(environment: Environment, plan: Plan, folder: Path) -> None:
    """Take the stores of an environment that is up back to a bundle that was taken of it: services are held meanwhile, and go on.
    Raises EnvironmentFailed before anything is touched when it is not one of these, was changed, or lacks a store."""
    found = bundle.verify(folder)
    _refuse(environment, found)
    begun = time.monotonic()
    with hold.alone(environment):
        running = start.running(environment, plan)
        with hold.still(environment, [one.subject for one in running]):
            lost = hold.every(environment.stack.stores, lambda store: _give(environment, store, folder / "stores" / store))
        hold.refresh(environment, plan, running, lost)
    environment.emit(WasRestored(str(folder), round(time.monotonic() - begun, 4)))


def _refuse(environment: Environment, found: bundle.Bundle) -> None:
    if found.id != environment.run.id:
        cause = f"was taken of run {found.id}, and this is {environment.run.id}"
        raise EnvironmentFailed(str(found.path), cause, "`seeder snapshot restore` brings an environment up from it")
    held = found.index.get("stores", {})
    if lacking := sorted(set(environment.stack.stores) - set(held)):
        why = "; ".join(found.index.get("missing", {}).get(f"stores/{name}", "") for name in lacking)
        raise EnvironmentFailed(str(found.path), f"does not hold {', '.join(lacking)}: {why}".rstrip(": "), "take the snapshot again")
