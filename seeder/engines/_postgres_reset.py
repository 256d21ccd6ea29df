"""Empties a database: everything that was made in it since the server made it, whoever is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_DROPS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("select evtname from pg_event_trigger", "drop event trigger {} cascade"),
    ("select pubname from pg_publication", "drop publication {} cascade"),
    ("select extname from pg_extension where extname <> 'plpgsql'", "drop extension {} cascade"),
    (
        "select nspname from pg_namespace where nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'",
        "drop schema {} cascade",
    ),
)
_PUBLIC: tuple[LiteralString, ...] = ("create schema public authorization pg_database_owner", "grant usage on schema public to public")
_PUBLIC_BEFORE_15: tuple[LiteralString, ...] = ("create schema public", "grant all on schema public to public")
_REST: tuple[LiteralString, ...] = (
    "comment on schema public is 'standard public schema'",
    "select lo_unlink(oid) from pg_largeobject_metadata",
)


def empty(connection: Connection) -> None:
    """In the connection's own transaction, so that clients see either all or nothing. What init scripts made goes too."""
    for names, drop in _DROPS:
        _drop_all(connection, names, drop)
    public = _PUBLIC if connection.info.server_version >= 150000 else _PUBLIC_BEFORE_15  # noqa: PLR2004  (PostgreSQL 15)
    for statement in public + _REST:
        connection.execute(statement)


def _drop_all(connection: Connection, names: LiteralString, drop: LiteralString) -> None:
    from psycopg import sql

    for (name,) in connection.execute(names).fetchall():
        connection.execute(sql.SQL(drop).format(sql.Identifier(name)))
