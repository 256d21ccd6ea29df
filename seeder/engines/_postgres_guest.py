"""Rows in a database that others use, too: how they are told, whether numbers are free, one load, and taking them back by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_order as ordering
from seeder.engines._postgres_catalog import Catalogue, Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.engines._postgres_load import PostgresSession
from seeder.engines._postgres_order import Order
from seeder.errors import DefinitionError, EnvironmentFailed, Problem
from seeder.passed.content import RowKeys
from seeder.passed.target import Target
from seeder.wait import READY, Verdict, not_yet, wait_for

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_ENDS_WITHIN = 10.0  # seconds in which a server notices that its client is gone

_FOREIGN = """
    select k.conrelid, a.attname, k.confrelid, b.attname from pg_constraint k
    cross join lateral unnest(k.conkey, k.confkey) u(mine, theirs)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.mine
    join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.theirs
    where k.contype = 'f' and k.conrelid = any(%s)"""

_DOMAINS = """
    select a.attrelid, a.attname, format_type(t.typbasetype, t.typtypmod) from pg_attribute a
    join pg_type t on t.oid = a.atttypid and t.typtype = 'd'
    where a.attrelid = any(%s) and a.attnum > 0 and not a.attisdropped"""

_INDEXED = """
    select i.indrelid, i.indexrelid, a.attname from pg_index i
    join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
        and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid and d.refobjsubid > 0
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = d.refobjsubid
    where i.indisunique and i.indrelid = any(%s)
    order by i.indexrelid, a.attnum"""


class GuestSession(PostgresSession):
    """Numbers that the database draws, and what it derives from rows, are others' too: both stay as they are."""

    def verify(self) -> None:
        with self._refusals():
            self._connection.execute("set constraints all immediate")

    @property
    def transaction(self) -> str:
        with self._refusals():
            row = self._connection.execute("select txid_current()").fetchone()
        return str(row[0]) if row else ""

    def _ease(self, order: Order) -> None:
        names = ", ".join(sorted({constraint.name for _, constraint in order.eased}))
        cause = f"its foreign keys go round in circles, and {names} is checked at once: it would have to be altered, and others use it"
        remedy = "make such rows by a step, or make the constraint deferrable in a migration"
        raise DefinitionError.of(Problem(f"{self._store}.{table.label}", cause, remedy) for table, _ in order.eased)


def committed(target: Target, transaction: str) -> bool | None:
    with failing(target, "looked into"), closing(connect(target)) as connection:
        found: list[str | None] = []

        def look() -> Verdict:
            row = connection.execute("select txid_status(%s)", [int(transaction)]).fetchone()
            found[:] = [row[0] if row else None]
            return not_yet("the transaction of its rows is under way") if found[0] == "in progress" else READY

        wait_for(target.store, look, within=_ENDS_WITHIN)
    return None if found[0] is None else found[0] == "committed"


def keys(target: Target, tables: Iterable[str]) -> dict[str, RowKeys]:
    with failing(target, "looked into"), closing(connect(target)) as connection:
        known = catalog.read(connection)
        found = {name: relation for name in tables if (relation := known.find(name))}
        oids = [relation.oid for relation in found.values()]
        foreign: dict[int, dict[str, tuple[str, str]]] = {}
        for oid, column, other, theirs in connection.execute(_FOREIGN, [oids]):
            foreign.setdefault(oid, {})[column] = (known.by_oid[other].label, theirs)
        based: dict[int, dict[str, str]] = {}
        for oid, column, base in connection.execute(_DOMAINS, [oids]):
            based.setdefault(oid, {})[column] = base
        indexed: dict[int, dict[int, list[str]]] = {}
        for oid, index, column in connection.execute(_INDEXED, [oids]):
            indexed.setdefault(oid, {}).setdefault(index, []).append(column)
    return {
        name: _keys(one, based.get(one.oid, {}), foreign.get(one.oid, {}), indexed.get(one.oid, {}).values()) for name, one in found.items()
    }


def _keys(
    relation: Relation, based: Mapping[str, str], foreign: Mapping[str, tuple[str, str]], indexed: Iterable[Sequence[str]]
) -> RowKeys:
    unique = [constraint.columns for constraint in relation.constraints.values() if constraint.kind == "unique" and constraint.columns]
    generated = {name for name, column in relation.columns.items() if column.generated}
    every = dict.fromkeys([*unique, *(tuple(columns) for columns in indexed)])
    return RowKeys(
        types={name: based.get(name, column.type) for name, column in relation.columns.items()},
        primary=relation.key,
        unique=tuple(columns for columns in every if not generated & set(columns)),
        foreign=foreign,
    )


def taken(target: Target, table: str, column: str, low: int, high: int) -> bool:
    from psycopg import sql

    with failing(target, "looked into"), closing(connect(target)) as connection:
        relation = _known(catalog.read(connection, [table]), target, table)
        query = sql.SQL("select exists (select from {} where {} between {} and {})").format(
            sql.Identifier(relation.schema, relation.name), sql.Identifier(column), sql.Literal(low), sql.Literal(high)
        )
        row = connection.execute(query).fetchone()
        return bool(row and row[0])


def erase(target: Target, rows: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]]) -> int:
    with failing(target, "relieved of rows"), closing(connect(target)) as connection:
        known = catalog.read(connection)
        relations = {_known(known, target, name).label: name for name in rows}
        order = ordering.of([known.tables[label] for label in relations], known)
        connection.execute("set constraints all deferred")
        count = sum(_delete(connection, relation, *rows[relations[relation.label]]) for relation in reversed(order.tables))
        connection.commit()
    return count


def _delete(connection: Connection, relation: Relation, columns: Sequence[str], keys: Sequence[Sequence[str]]) -> int:
    from psycopg import sql

    key = sql.SQL(" and ").join(sql.SQL("t.{0} = k.{0}::{1}").format(sql.Identifier(c), sql.SQL(relation.columns[c].type)) for c in columns)
    given = sql.SQL(", ").join(sql.SQL("%s::text[]") for _ in columns)
    query = sql.SQL("delete from {table} t using unnest({given}) as k({names}) where {key}").format(
        table=sql.Identifier(relation.schema, relation.name), given=given, names=sql.SQL(", ").join(map(sql.Identifier, columns)), key=key
    )
    return connection.execute(query, [[row[number] for row in keys] for number in range(len(columns))]).rowcount


def _known(known: Catalogue, target: Target, table: str) -> Relation:
    found = known.find(table)
    if found is None:
        raise EnvironmentFailed(f"{target.store}.{table}", "there is no such table", known.hint(table))
    return found
