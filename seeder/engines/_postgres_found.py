"""Looks at what happened in a database since its reference: which tables, views, sequences and large objects differ, and whether
that can be given back in place."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seeder.engines import _postgres_news as news
from seeder.engines import _postgres_schema
from seeder.engines._postgres_mark import Mark, Sequence, Table, View
from seeder.engines._postgres_news import NEW
from seeder.wait import READY, Verdict, not_yet, wait_for

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_PATIENCE = 0.1  # seconds for a statement that is being executed to come to its end by itself
_SECONDS = 20.0
_OPEN = """pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
           and backend_type = 'client backend'"""
_PULSE = f"""
    select pg_current_snapshot()::text, array(select gid::text from pg_prepared_xacts where database = current_database()),
           exists (select from {_OPEN})"""  # noqa: S608  (constants)
_CLIENTS = f"select pid, state like 'idle%' from {_OPEN}"  # noqa: S608  (the same)
_OBJECTS = f"""
    select count(*), count(*) filter (where {NEW}), (select count(*) filter (where {NEW}) from pg_largeobject)
    from pg_largeobject_metadata"""  # noqa: S608  (the same)


@dataclass
class Changes:
    """`cleared`: tables whose rows are in other places, all of them; `bereft`: those that lack rows; `grown`: those with new ones."""

    grown: list[Table] = field(default_factory=list)
    bereft: list[Table] = field(default_factory=list)
    cleared: list[Table] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    sequences: list[Sequence] = field(default_factory=list)
    objects: bool = False

    @property
    def tables(self) -> list[Table]:
        """Each once, in the order of the mark."""
        return sorted({table.oid: table for table in (*self.grown, *self.bereft, *self.cleared)}.values(), key=lambda table: table.oid)

    @property
    def names(self) -> tuple[str, ...]:
        found = [entry.label for entries in (self.tables, self.views, self.sequences) for entry in entries]
        return (*found, *(["large objects"] if self.objects else []))

    def obstacle(self, mark: Mark) -> str:
        """Why this cannot be given back in place; empty when it can."""
        if loud := [table.label for table in self.tables if not table.quiet]:
            return f"{loud[0]} changed, and has triggers or rules that cannot be kept silent, or no columns"
        if large := [table.label for table in (*self.bereft, *self.cleared) if not table.file]:
            return f"{large[0]} changed, and is too large to be given back row by row"
        return "large objects changed, and they cannot be made anew one by one" if self.objects and mark.objects is None else ""


class Looks:
    """The questions that a mark raises, put together once."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._names = sorted(mark.catalogues)
        self._catalogues = news.catalogue_statement(self._names)
        self._relations = " union all ".join(
            f"select {oid}, count(*), count(*) filter (where {NEW}), pg_relation_filenode({oid})::int8 from {name.replace('%', '%%')}"  # noqa: S608  (quoted)
            for oid, name in (*((table.oid, f"only {table.sql}") for table in mark.tables), *((view.oid, view.sql) for view in mark.views))
        ).encode()
        self._sequences = " union all ".join(
            f"select {entry.oid}, last_value, is_called from {entry.sql}"  # noqa: S608  (the same)
            for entry in mark.sequences
        ).encode()

    def sequences(self, connection: Connection) -> list[Sequence]:
        """Those that stand elsewhere."""
        if not self._mark.sequences:
            return []
        found = {oid: (last, called) for oid, last, called in connection.execute(self._sequences, prepare=True).fetchall()}
        return [sequence for sequence in self._mark.sequences if found[sequence.oid] != (sequence.last, sequence.called)]

    def schema(self, connection: Connection, since: Mark) -> tuple[dict[str, int], str]:
        """The catalogues' counts, and what of the schema differs from the mark; nothing, as a rule."""
        now = news.catalogues(connection, self._catalogues, since.reference)
        differing: list[str] = []
        if news.moved(since.catalogues, now):
            hashes = _postgres_schema.hashes(connection, self._names, since.reference)
            differing = [name for name in self._names if hashes[name] != self._mark.schema[name]]
        return {name: count for name, (count, _) in now.items()}, f"the schema was changed ({', '.join(differing)})" if differing else ""

    def changes(self, connection: Connection, since: Mark, sequences: list[Sequence]) -> Changes:
        found: dict[int, tuple[int, int, int]] = {}
        if self._relations:
            rows = connection.execute(self._relations, since.reference.parameters, prepare=True).fetchall()
            found = {oid: (count, new, storage) for oid, count, new, storage in rows}
        changes = Changes(sequences=sequences)
        for table in since.tables:
            count, new, storage = found[table.oid]
            if storage != table.storage:
                changes.cleared.append(table)
                continue
            changes.grown += [table] if new else []
            changes.bereft += [table] if count - new != table.count else []
        changes.views = [view for view in since.views if found[view.oid] != (view.count, 0, view.storage)]
        count, new, data = connection.execute(_OBJECTS, since.reference.parameters, prepare=True).fetchone() or (0, 0, 0)
        changes.objects = bool(new or data) or (since.objects is not None and count != len(since.objects))
        return changes


def snapshot(connection: Connection, database: str) -> str:
    """The server's moment, once no client has a transaction open in the database and none is prepared."""
    found, prepared, clients = connection.execute(_PULSE, prepare=True).fetchone() or ("", [], False)
    if prepared or clients:
        end_transactions(connection, database)
        _roll_back_prepared(connection)
        found = (connection.execute(_PULSE, prepare=True).fetchone() or (found,))[0]
    return str(found)


def end_transactions(connection: Connection, database: str) -> None:
    """A client that idles in a transaction loses its connection; a statement may end by itself within a moment."""
    patience = time.monotonic() + _PATIENCE

    def look() -> Verdict:
        clients = connection.execute(_CLIENTS).fetchall()
        ended = [pid for pid, idle in clients if idle or time.monotonic() > patience]
        connection.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", [ended])
        return not_yet(f"{len(clients)} clients have a transaction open") if clients else READY

    wait_for(f"database {database}", look, within=_SECONDS, first=0.002, longest=0.05)


def _roll_back_prepared(connection: Connection) -> None:
    from psycopg import sql

    for (gid,) in connection.execute("select gid::text from pg_prepared_xacts where database = current_database()").fetchall():
        connection.execute(sql.SQL("rollback prepared {}").format(sql.Literal(gid)))
