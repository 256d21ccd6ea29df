"""The order in which tables are loaded, and what is done where foreign keys go round in circles.

A circle is opened at a deferrable constraint when it has one: that is checked at the end anyway. Otherwise one constraint of the
circle is made deferrable for the length of the transaction, which neither drops it nor looks at rows twice, works for columns that
may not be null, and leaves no trace when the load fails; only readers of that table wait for the load's end. Self references need
nothing: COPY checks them when it is done.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, LiteralString

from seeder import order
from seeder.engines._postgres_catalog import Catalogue, Constraint, Relation
from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection


@frozen
class Order:
    """Tables, those that are referred to first, given that the `eased` constraints are not looked at before the end."""

    tables: tuple[Relation, ...]
    eased: tuple[tuple[Relation, Constraint], ...]


def of(tables: Collection[Relation], catalogue: Catalogue) -> Order:
    graph = {table.label: {other.label for other in _targets(table, tables, catalogue)} for table in tables}
    eased: list[tuple[Relation, Constraint]] = []
    while True:
        try:
            labels = order.sort(graph)
        except order.Cycle as cycle:
            eased += _open(cycle.path, graph, catalogue)
        else:
            return Order(tuple(catalogue.tables[label] for label in labels), tuple(eased))


def _targets(table: Relation, tables: Collection[Relation], catalogue: Catalogue) -> list[Relation]:
    found = [catalogue.by_oid[c.target] for c in table.constraints.values() if c.target in catalogue.by_oid and c.target is not None]
    return [other for other in found if other in tables and other.oid != table.oid]


def _open(path: Sequence[str], graph: dict[str, set[str]], catalogue: Catalogue) -> list[tuple[Relation, Constraint]]:
    """Take one step out of the circle; answer the constraints that must be made deferrable for it."""
    steps = [(catalogue.tables[a], _between(catalogue.tables[a], catalogue.tables[b]), b) for a, b in itertools.pairwise(path)]
    table, constraints, target = min(steps, key=lambda step: sum(not c.deferrable for c in step[1]))
    graph[table.label].discard(target)
    return [(table, constraint) for constraint in constraints if not constraint.deferrable]


def _between(table: Relation, target: Relation) -> list[Constraint]:
    return [constraint for constraint in table.constraints.values() if constraint.target == target.oid]


def ease(connection: Connection, eased: Sequence[tuple[Relation, Constraint]]) -> None:
    """The constraints are looked at when `tighten` is called."""
    _alter(connection, eased, "deferrable initially deferred")


def tighten(connection: Connection, eased: Sequence[tuple[Relation, Constraint]]) -> None:
    """Check everything that was put off, and give the constraints their old form."""
    connection.execute("set constraints all immediate")
    _alter(connection, eased, "not deferrable")
    connection.execute("set constraints all deferred")


def _alter(connection: Connection, eased: Sequence[tuple[Relation, Constraint]], form: LiteralString) -> None:
    from psycopg import sql

    words = sql.SQL("alter table {} alter constraint {} " + form)
    for table, constraint in eased:
        connection.execute(words.format(sql.Identifier(table.schema, table.name), sql.Identifier(constraint.name)))
