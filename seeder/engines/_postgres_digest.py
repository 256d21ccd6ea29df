"""The digest of a database: every table's rows as text under fixed settings, sorted by bytes; every sequence's next value.

What counts: tables of all schemas, those that migration tools keep included, partitions as rows of their parent, columns by name
(their order in the table is an accident of its history), generated ones too. What does not: views and what is derived, indexes,
what extensions made, volatile columns, and the sequences that feed nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from seeder.engines import _postgres_catalog as catalog
from seeder.engines._postgres_catalog import Catalogue, Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.engines._postgres_finish import next_value
from seeder.engines._sorted_lines import ordered
from seeder.errors import DefinitionError, nearest
from seeder.passed.content import StoreDigest
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

Part = tuple[int, str]


def digest(target: Target, volatile: Sequence[str]) -> StoreDigest:
    """Taken from one state of the database, whoever writes meanwhile."""
    with failing(target, "digested"), closing(connect(target)) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        catalogue = catalog.read(connection)
        left_out = _left_out(catalogue, volatile, target)
        parts = {relation.label: _table(connection, relation, left_out.get(relation.oid, set())) for relation in catalogue.wholes}
        parts |= _sequences(connection, left_out)
    return StoreDigest.of(parts)


def _left_out(catalogue: Catalogue, volatile: Sequence[str], target: Target) -> dict[int, set[str]]:
    """Columns per table that do not count. A table that is not there (yet) has none."""
    found: dict[int, set[str]] = {}
    for entry in volatile:
        table, _, column = entry.rpartition(".")
        relation = catalogue.find(table)
        if relation is None:
            continue
        if column not in relation.columns:
            remedy = nearest(column, list(relation.columns))
            raise DefinitionError(f"{target.store}: volatile {entry}", f"{table} has no column {column}", remedy)
        found.setdefault(relation.oid, set()).add(column)
    return found


def _table(connection: Connection, relation: Relation, left_out: set[str]) -> Part:
    columns = sorted(set(relation.columns) - left_out)
    found = hashlib.sha256("\t".join([relation.label, *columns]).encode() + b"\n")
    rows = 0
    for line in ordered(_lines(connection, relation, columns)):
        found.update(line)
        rows += 1
    return rows, found.hexdigest()


def _lines(connection: Connection, relation: Relation, columns: Sequence[str]) -> Iterator[bytes]:
    from psycopg import sql

    query = sql.SQL("copy (select {} from {} {}) to stdout").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL("only" if relation.only else ""),
        sql.Identifier(relation.schema, relation.name),
    )
    with connection.cursor().copy(query) as stream:
        for line in stream:
            yield bytes(line)


def _sequences(connection: Connection, left_out: dict[int, set[str]]) -> dict[str, Part]:
    """A sequence that feeds only columns which do not count does not count either."""
    found: dict[str, Part] = {}
    for sequence in catalog.sequences(connection):
        if sequence.feeds and all(column in left_out.get(table, ()) for table, column in sequence.feeds):
            continue
        upcoming = next_value(connection, sequence)
        found[f"sequence {sequence.label}"] = (1, hashlib.sha256(str(upcoming).encode()).hexdigest())
    return found
