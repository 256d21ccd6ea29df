"""What a database holds, as a dataset's files have it: a CSV for each table, by COPY's rules and in the order of its primary key, and
SQL for sequences that stand elsewhere than right after the highest value of their columns, where every load puts them.

Generated columns are left out, and volatile ones that the database fills itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_finish as finish
from seeder.engines._postgres_catalog import Catalogue, Column, Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.passed.content import Held
from seeder.passed.target import Target

if TYPE_CHECKING:
    from psycopg import sql

    from seeder.engines._postgres_connection import Connection

_SEQUENCES = "900-sequences"
_TEXTS = ("text", "character", "citext", "name")


def held(target: Target, volatile: Sequence[str]) -> Iterator[Held]:
    """Taken from one state of the database, whoever writes meanwhile."""
    with failing(target, "recorded"), closing(connect(target)) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        catalogue = catalog.read(connection)
        yield from [_table(connection, relation, volatile) for relation in catalogue.wholes]
        yield Held(_SEQUENCES, "sql", tuple(_sequences(connection, catalogue)))


def _table(connection: Connection, relation: Relation, volatile: Sequence[str]) -> Held:
    from psycopg import sql

    columns = [one for one in relation.stored if not (one.filled and f"{relation.label}.{one.name}" in volatile)]
    by_key = [relation.columns[name] for name in relation.key] or columns
    words = sql.SQL("copy (select {} from {} {} order by {}) to stdout (format csv, header)").format(
        sql.SQL(", ").join(sql.Identifier(one.name) for one in columns),
        sql.SQL("only" if relation.only else ""),
        sql.Identifier(relation.schema, relation.name),
        sql.SQL(", ").join(_ordered(one) for one in by_key),
    )
    with connection.cursor().copy(words) as stream:
        header, *lines = [bytes(line) for line in stream]
    return Held(relation.label, "table", tuple(lines), header, relation.key)


def _ordered(column: Column) -> sql.Composable:
    """In an order that every server has: texts by their bytes, and whatever else has no order of its own as text."""
    from psycopg import sql

    name = sql.Identifier(column.name)
    if column.type.startswith(_TEXTS):
        return sql.SQL('{} collate "C"').format(name)
    return name if column.kind == "plain" and column.type not in ("xml", "point", "box") else sql.SQL('{}::text collate "C"').format(name)


def _sequences(connection: Connection, catalogue: Catalogue) -> Iterator[bytes]:
    from psycopg import sql

    for one in catalog.sequences(connection):
        upcoming, furthest = finish.next_value(connection, one), finish.furthest(connection, one, catalogue)
        if furthest is not None and upcoming == furthest + one.increment:
            continue
        words = sql.SQL("alter sequence {} restart with {};").format(sql.Identifier(one.schema, one.name), sql.Literal(upcoming))
        if one.lowest <= upcoming <= one.highest:
            yield f"{words.as_string(connection)}\n".encode()
