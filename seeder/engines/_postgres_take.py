"""Takes a database's mark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.engines import _postgres_mark as marks
from seeder.engines import _postgres_news as news
from seeder.engines import _postgres_objects as objects
from seeder.engines import _postgres_outside, _postgres_schema
from seeder.engines._postgres_mark import MOST_ROWS, Mark, Sequence, Table, View, quoted

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_MOST_SCANNED = 3_000_000  # rows of a whole database
_ABOUT = """
    select pg_current_snapshot()::text, (select system_identifier::text from pg_control_system()), current_setting('is_superuser') = 'on',
           (select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class where relkind in ('r', 'm'))"""
_RELATIONS = """
    select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, pg_relation_filenode(c.oid)::int8,
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
           not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled in ('A', 'R'))
           and not exists (select from pg_rewrite r where r.ev_class = c.oid and c.relkind = 'r' and r.ev_enabled in ('A', 'R'))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'S') and c.relpersistence <> 't' and (c.relkind <> 'm' or c.relispopulated)
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
    order by n.nspname collate "C", c.relname collate "C\""""


def take(connection: Connection, folder: Path, database: str) -> Mark:
    """Everything as one moment shows it; rows and hashes of what is derived go into the folder."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        snapshot, server, superuser, estimate = connection.execute(_ABOUT).fetchone() or ("", "", False, 0)
        reference = news.reference(snapshot)
        found = connection.execute(_RELATIONS).fetchall()
        sequences = tuple(_sequence(connection, *row) for row in found if row[3] == "S")
        if not superuser or estimate > _MOST_SCANNED:
            outside = _postgres_outside.read(connection, database) if superuser else {}
            return Mark(server, reference, superuser, scanned=False, outside=outside, sequences=sequences)
        names = [name for (name,) in connection.execute(news.CATALOGUES).fetchall()]
        return Mark(
            server,
            reference,
            superuser,
            outside=_postgres_outside.read(connection, database),
            catalogues={n: count for n, (count, _) in news.catalogues(connection, news.catalogue_statement(names), reference).items()},
            schema=_postgres_schema.hashes(connection, names, reference),
            tables=tuple(_table(connection, folder, place, *row) for place, row in enumerate(found, 1) if row[3] == "r"),
            views=tuple(_view(connection, *row) for row in found if row[3] == "m"),
            sequences=sequences,
            objects=objects.keep(connection, folder),
        )


def _table(
    connection: Connection, folder: Path, place: int, oid: int, schema: str, name: str, _: str, storage: int, columns: Any, quiet: bool
) -> Table:
    row = connection.execute(f"select count(*) from only {quoted(schema, name)}".encode()).fetchone()  # noqa: S608  (quoted)
    table = Table(oid, schema, name, tuple(columns), row[0] if row else 0, storage, quiet and bool(columns), f"{place:04d}.rows")
    if table.count > MOST_ROWS:
        return replace(table, file="")
    (folder / table.file).write_bytes(b"".join(marks.copied(connection, table)))
    return table


def _view(connection: Connection, oid: int, schema: str, name: str, _: str, storage: int, *__: object) -> View:
    count, content = view_content(connection, quoted(schema, name))
    return View(oid, schema, name, count, storage, content)


def view_content(connection: Connection, name: str) -> tuple[int, str]:
    """Rows, and a hash of them in any order."""
    whole = 'select count(*), coalesce(sum(hashtextextended("seeder row"::text, 0)::numeric), 0)::text from {} "seeder row"'
    return connection.execute(whole.format(name).encode()).fetchone() or (0, "")


def _sequence(connection: Connection, oid: int, schema: str, name: str, *_: object) -> Sequence:
    row = connection.execute(f"select last_value, is_called from {quoted(schema, name)}".encode()).fetchone()  # noqa: S608  (quoted)
    return Sequence(oid, schema, name, *(row or (0, False)))
