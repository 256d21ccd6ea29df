"""When an environment is quiet: outboxes are empty, and consumers have caught up."""

from __future__ import annotations

from seeder.protocols import Settles, World
from seeder.wait import READY, Verdict, not_yet, wait_for


def settle(world: World) -> None:
    """All stores must be quiet in one look: a broker that is idle while an outbox is not has more to come.
    Raises EnvironmentFailed."""
    wait_for(
        world.stack.name,
        lambda: look(world),
        within=world.stack.x.settle.within,
        remedy="look at the log of the service that publishes or consumes there, or give it longer: `x-seeder: {settle: {within: ...}}`",
    )


def look(world: World) -> Verdict:
    """Whether it is quiet now; else the first store that is not, and why."""
    for name, store in sorted(world.stack.stores.items()):
        engine = world.engine(name)
        verdict = engine.settled(world.target(name), store) if isinstance(engine, Settles) else READY
        if verdict.state != "ready":
            return not_yet(f"{name}: {verdict.reason}")
    return READY
