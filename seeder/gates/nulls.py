"""Columns that are declared to hold no null hold none."""

from __future__ import annotations

from collections.abc import Iterable

from seeder.errors import Problem
from seeder.gates._schemas import Schemas, split
from seeder.passed.fitness import Fitness
from seeder.protocols import World


class Nulls:
    name = "nulls"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """One finding per column, with the keys of the rows (ten at most)."""
        schemas = Schemas(world)
        for who, gates in fitness.gates:
            for table, columns in sorted(gates.nulls.items()):
                for column in columns:
                    yield from _check(schemas, table, column, who)


def _check(schemas: Schemas, name: str, column: str, who: str) -> Iterable[Problem]:
    subject = f"{name}.{column}"
    found = schemas.find_column(subject, *split(name), column)
    if isinstance(found, Problem):
        yield found
        return
    rows = found.engine.missing(found.target, found.info.name, column)
    if rows:
        keys = "; ".join(found.key_of(row) for row in rows)
        yield Problem(subject, f"is null where {who} allows no null: {keys}", "give these rows a value")
