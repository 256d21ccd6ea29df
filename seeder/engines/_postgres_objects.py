"""Large objects of a database: kept with the mark, and made anew where anything about them changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

FILE = "objects.rows"
_MOST = 16 << 20  # bytes of them all
# Owners, privileges and comments are lost when an object is made anew: objects that have some are not kept.
_PLAIN = """
    select coalesce(bool_and(m.lomowner = (select oid from pg_roles where rolname = current_user) and m.lomacl is null), true)
           and not exists (select from pg_description d where d.classoid = 'pg_largeobject'::regclass)
           and (select coalesce(sum(length(data)), 0) from pg_largeobject) <= %s
    from pg_largeobject_metadata m"""


def keep(connection: Connection, folder: Path) -> tuple[int, ...] | None:
    """Write them into the folder; answer their numbers, or None when they cannot be kept so."""
    if connection.execute(_PLAIN, [_MOST]).fetchone() != (True,):
        return None
    rows = connection.execute("select oid::int8, encode(lo_get(oid), 'hex') from pg_largeobject_metadata order by oid").fetchall()
    (folder / FILE).write_text("".join(f"{number} {data}\n" for number, data in rows), encoding="ascii")
    return tuple(number for number, _ in rows)


def give_back(connection: Connection, folder: Path) -> None:
    connection.execute("select lo_unlink(oid) from pg_largeobject_metadata")
    for line in (folder / FILE).read_text(encoding="ascii").splitlines():
        number, _, data = line.partition(" ")
        connection.execute("select lo_from_bytea(%s::int8::oid, decode(%s, 'hex'))", [number, data])
