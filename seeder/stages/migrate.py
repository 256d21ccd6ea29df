"""Bring every store's schema to the head of its history, all stores at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from seeder.environment import Environment
from seeder.loading import owned
from seeder.order import along
from seeder.passed.fitness import Migrated, head
from seeder.passed.operation import Load, Migrate, Plan
from seeder.protocols import Inspects
from seeder.registry import MIGRATORS


def halts(environment: Environment, plan: Plan) -> None:
    """Stores that halt on their way have come there, with the rows that migrations are to go over."""
    _all(environment, plan.halts)


def heads(environment: Environment, plan: Plan) -> None:
    """Every store with a migrator stands at its last revision, and what its tables look like then is known."""
    _all(environment, plan.migrations)


def _all(environment: Environment, operations: Iterable[Migrate | Load]) -> None:
    ways: dict[str, list[Migrate | Load]] = {}
    for operation in operations:
        for store in [operation.subject] if isinstance(operation, Migrate) else operation.parts:
            ways.setdefault(store, []).append(operation)
    along({store: [] for store in ways}, lambda store: _go(environment, ways[store]))


def _go(environment: Environment, way: Iterable[Migrate | Load]) -> None:
    for operation in way:
        if isinstance(operation, Migrate):
            _migrate(environment, operation)
        else:
            owned.dataset(environment, operation)


def _migrate(environment: Environment, operation: Migrate) -> None:
    begun = time.monotonic()
    environment.tell("migrate", operation.subject, "migrating", operation.detail)
    MIGRATORS.get(operation.tool).migrate(operation.store, operation.revisions, environment)
    engine = environment.engine(operation.subject)
    if isinstance(engine, Inspects):
        tables = engine.tables(environment.target(operation.subject))
        environment.migrated[operation.subject] = Migrated(head(operation.revisions), tables)
    environment.tell("migrate", operation.subject, "migrated", operation.detail, round(time.monotonic() - begun, 3))
