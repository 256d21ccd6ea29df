"""What must be true when records have been loaded: sequences stand after the highest value, materialised views are fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder import order
from seeder.engines import _postgres_catalog as catalog
from seeder.engines._postgres_catalog import Catalogue, Sequence
from seeder.errors import EnvironmentFailed

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_NUMBERS = {"smallint", "integer", "bigint"}


def advance_sequences(connection: Connection, catalogue: Catalogue) -> None:
    """Every sequence that feeds a column stands after the column's highest value; one that does already stays as it is.

    It is set by ALTER SEQUENCE, which a rollback takes back. Raises EnvironmentFailed when a sequence reads back otherwise.
    """
    for sequence in catalog.sequences(connection):
        value = furthest(connection, sequence, catalogue)
        if value is None or _is_past(sequence, next_value(connection, sequence), value):
            continue
        _set(connection, sequence, value)
        if not _is_past(sequence, next_value(connection, sequence), value):
            raise EnvironmentFailed(sequence.label, f"the sequence does not stand after {value}, the furthest value of its columns")


def furthest(connection: Connection, sequence: Sequence, catalogue: Catalogue) -> int | None:
    """The value of its columns that lies furthest in the sequence's direction and inside its bounds."""
    from psycopg import sql

    pick = sql.SQL("max" if sequence.increment > 0 else "min")
    found: list[int] = []
    for oid, column in sequence.feeds:
        table = catalogue.by_oid.get(oid)
        if table is None or table.columns[column].type not in _NUMBERS:
            continue
        query = sql.SQL("select {0}({1}) from {2} where {1} between {3} and {4}").format(
            pick,
            sql.Identifier(column),
            sql.Identifier(table.schema, table.name),
            sql.Literal(sequence.lowest),
            sql.Literal(sequence.highest),
        )
        row = connection.execute(query).fetchone()
        found += [row[0]] if row and row[0] is not None else []
    return (max if sequence.increment > 0 else min)(found, default=None)


def _is_past(sequence: Sequence, upcoming: int, value: int) -> bool:
    return upcoming > value if sequence.increment > 0 else upcoming < value


def next_value(connection: Connection, sequence: Sequence) -> int:
    """What nextval would answer, without asking it."""
    from psycopg import sql

    query = sql.SQL("select case when is_called then last_value + {} else last_value end from {}")
    row = connection.execute(query.format(sql.Literal(sequence.increment), sql.Identifier(sequence.schema, sequence.name))).fetchone()
    return int(row[0]) if row else 0


def _set(connection: Connection, sequence: Sequence, value: int) -> None:
    set_next(connection, sequence, value + sequence.increment)


def set_next(connection: Connection, sequence: Sequence, upcoming: int) -> None:
    """nextval answers `upcoming`; a sequence at its end stays there."""
    from psycopg import sql

    name = sql.Identifier(sequence.schema, sequence.name)
    if sequence.lowest <= upcoming <= sequence.highest:
        connection.execute(sql.SQL("alter sequence {} restart with {}").format(name, sql.Literal(upcoming)))
    else:
        last = sequence.highest if sequence.increment > 0 else sequence.lowest
        connection.execute("select setval(%s::oid::regclass, %s, true)", [sequence.oid, last])


def refresh_views(connection: Connection) -> None:
    """Refresh every materialised view after those that it is made from."""
    from psycopg import sql

    views = catalog.materialised_views(connection)
    for number in order.sort({number: sources for number, (_, _, sources) in views.items()}):
        schema, name, _ = views[number]
        connection.execute(sql.SQL("refresh materialized view {}").format(sql.Identifier(schema, name)))


def recheck_foreign_keys(connection: Connection, catalogue: Catalogue) -> None:
    """Make every foreign key anew: the database then looks at all rows, whatever was switched off when they came."""
    from psycopg import sql

    for relation in catalogue.wholes:
        table = sql.Identifier(relation.schema, relation.name)
        for constraint in relation.constraints.values():
            if constraint.kind == "foreign":
                name, definition = sql.Identifier(constraint.name), sql.SQL(constraint.definition)
                words = sql.SQL("alter table {0} drop constraint {1}, add constraint {1} {2}")
                connection.execute(words.format(table, name, definition))
