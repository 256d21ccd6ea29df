"""Gives a database back what it held, in place: rows, sequences, large objects, materialised views; only what changed.

New versions of rows are deleted, those that are missing written again; nothing else is touched. The session is a replica's, so that
triggers, rules and foreign keys stay silent: what they would do is part of what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seeder import order
from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_mark as marks
from seeder.engines import _postgres_objects as objects
from seeder.engines._postgres_found import Changes
from seeder.engines._postgres_mark import Mark, Rows, Table, View, quoted
from seeder.engines._postgres_news import NEW
from seeder.engines._postgres_take import view_content

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

SETTINGS = """set session_replication_role = replica; set synchronous_commit = off; set plan_cache_mode = force_generic_plan;
    set jit = off; set row_security = off; set default_transaction_read_only = off; set search_path = pg_catalog"""


class Changed(Exception):
    """What was given back is not what was marked; says what."""


class Store:
    """The rows of the mark, in memory once they were needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[int, Rows] = {}
        self.moved: set[int] = set()

    def of(self, table: Table) -> Rows:
        if table.oid not in self._rows:
            self._rows[table.oid] = marks.load(self._folder, table)
        return self._rows[table.oid]

    def move(self, table: Table, missing: Rows, rows: Rows) -> None:
        """The missing ones are in other places now."""
        kept = self.of(table)
        for place in list(missing):
            del kept[place]
        kept |= rows
        self.moved.add(table.oid)


def give_back(connection: Connection, folder: Path, changes: Changes, since: Mark, store: Store) -> tuple[int, dict[int, int]]:
    """In one transaction; answer its number and the files on disk that are others now. Raises Changed, or the database's own error."""
    moves: list[tuple[Table, Rows, Rows]] = []
    with connection.transaction():
        row = connection.execute("select pg_current_xact_id()::text").fetchone()
        own = int(row[0]) if row else 0
        _delete(connection, changes, since)
        for table, missing in _missing(connection, changes, store):
            moves.append((table, missing, _write(connection, table, missing, own)))
        if changes.objects:
            objects.give_back(connection, folder)
        _set_sequences(connection, changes)
        _refresh(connection, changes.views)
        storage = _storage(connection, [*changes.cleared, *changes.views])
    for table, missing, rows in moves:
        store.move(table, missing, rows)
    return own, storage


def _delete(connection: Connection, changes: Changes, since: Mark) -> None:
    """All tables at once: foreign keys do not look."""
    from psycopg import sql

    new = NEW % {name: sql.Literal(value).as_string(connection) for name, value in since.reference.parameters.items()}
    statements = [f"delete from only {table.sql} where {new}" for table in changes.grown]  # noqa: S608  (names are quoted)
    statements += [f"delete from only {table.sql}" for table in changes.cleared]  # noqa: S608  (the same)
    if statements:
        connection.execute("; ".join(statements).encode())


def _missing(connection: Connection, changes: Changes, store: Store) -> list[tuple[Table, Rows]]:
    found = [(table, store.of(table)) for table in changes.cleared]
    if changes.bereft:
        places = " union all ".join(
            f"select {place}, string_agg(ctid::text, ' ') from only {table.sql}"  # noqa: S608  (the same)
            for place, table in enumerate(changes.bereft)
        )
        for place, there in connection.execute(places.encode()).fetchall():
            left = set((there or "").encode().split())
            table = changes.bereft[place]
            found.append((table, {place: line for place, line in store.of(table).items() if place not in left}))
    return found


def _write(connection: Connection, table: Table, missing: Rows, own: int) -> Rows:
    """Add the rows; answer them in the places that they got."""
    if not missing:
        return {}
    columns = ", ".join(map(quoted, table.columns))
    with connection.cursor().copy(f"copy {table.sql} ({columns}) from stdin".encode()) as stream:
        stream.write(b"".join(missing.values()))
    written = marks.lines(marks.copied(connection, table, f"where xmin = '{own % 2**32}'::xid"))
    if len(written) != len(missing):
        raise Changed(f"{table.label} got {len(written)} of {len(missing)} rows back")
    return written


def _set_sequences(connection: Connection, changes: Changes) -> None:
    if changes.sequences:
        values = [[sequence.oid for sequence in changes.sequences], [sequence.last for sequence in changes.sequences]]
        connection.execute(
            "select setval(number::oid::regclass, last, called) from unnest(%s::int8[], %s::int8[], %s::bool[]) as s(number, last, called)",
            [*values, [sequence.called for sequence in changes.sequences]],
        )


def _refresh(connection: Connection, views: Sequence[View]) -> None:
    """Each after those that it is made from; its content has to be the one that was marked."""
    if not views:
        return
    wanted = {str(view.oid): view for view in views}
    known = catalog.materialised_views(connection)
    for number in order.sort({number: sources for number, (_, _, sources) in known.items()}):
        if view := wanted.get(number):
            connection.execute(f"refresh materialized view {view.sql}".encode())
            if view_content(connection, view.sql) != (view.count, view.content):
                raise Changed(f"{view.label} was not fresh when the state was marked")


def _storage(connection: Connection, entries: Sequence[Table | View]) -> dict[int, int]:
    if not entries:
        return {}
    numbers = [entry.oid for entry in entries]
    found = connection.execute("select n, pg_relation_filenode(n::oid)::int8 from unnest(%s::int8[]) n", [numbers]).fetchall()
    return dict(found)
