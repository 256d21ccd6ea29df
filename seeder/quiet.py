"""When an environment is quiet: outboxes are empty, and consumers have caught up."""

from __future__ import annotations

from seeder.environment import Environment
from seeder.protocols import Settles
from seeder.wait import READY, Verdict, not_yet, wait_for


def settle(environment: Environment) -> None:
    """All stores must be quiet in one look: a broker that is idle while an outbox is not has more to come.
    Raises EnvironmentFailed."""
    wait_for(
        environment.stack.name,
        lambda: _unsettled(environment),
        within=environment.stack.x.settle.within,
        remedy="look at the log of the service that publishes or consumes there, or give it longer: `x-seeder: {settle: {within: ...}}`",
    )


def _unsettled(environment: Environment) -> Verdict:
    for name, store in sorted(environment.stack.stores.items()):
        engine = environment.engine(name)
        verdict = engine.settled(environment.target(name), store) if isinstance(engine, Settles) else READY
        if verdict.state != "ready":
            return not_yet(f"{name}: {verdict.reason}")
    return READY
