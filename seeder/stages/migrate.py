"""Bring every store's schema to the head of its history, all stores at the same time."""

from __future__ import annotations

import time

from seeder.environment import Environment
from seeder.fitness import Migrated, head
from seeder.operation import Migrate, Plan
from seeder.order import along
from seeder.protocols import Inspects
from seeder.registry import MIGRATORS


def stores(environment: Environment, plan: Plan) -> None:
    """Every store with a migrator stands at its last revision, and what its tables look like then is known."""
    by_name = {operation.subject: operation for operation in plan.migrations}
    along({name: [] for name in by_name}, lambda name: _migrate(environment, by_name[name]))


def _migrate(environment: Environment, operation: Migrate) -> None:
    begun = time.monotonic()
    environment.tell("migrate", operation.subject, "migrating", operation.detail)
    MIGRATORS.get(operation.tool).migrate(operation.store, operation.revisions, environment)
    engine = environment.engine(operation.subject)
    if isinstance(engine, Inspects):
        tables = engine.tables(environment.target(operation.subject))
        environment.migrated[operation.subject] = Migrated(head(operation.revisions), tables)
    environment.tell("migrate", operation.subject, "migrated", operation.detail, round(time.monotonic() - begun, 3))
