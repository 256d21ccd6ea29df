"""A copy of a database in its own server, which refuses connections, and the database made anew from it."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, LiteralString

from seeder.engines._postgres_connection import connect, dial, driver
from seeder.passed.target import Target
from seeder.wait import READY, Verdict, not_yet, wait_for

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_SECONDS = 20.0
_CLIENTS = "select pid from pg_stat_activity where datname = %s and pid <> pg_backend_pid()"
_PATIENCE = (1000, 2000, 4000, 8000, 16000, 32000)  # milliseconds that a server has to remove a database, attempt by attempt
_ARRIVING = """\
    select pid from pg_locks left join pg_stat_activity using (pid)
    where locktype = 'virtualxid' and (datid is null and backend_type is null or state = 'starting')
"""  # who logs in has a transaction; before PostgreSQL 18 nothing else tells of it
_REPLACED: LiteralString = "(select oid from pg_database where datname = %(name)s)"
_FORGET: tuple[LiteralString, ...] = (
    f"delete from pg_shdepend where dbid = {_REPLACED} or (classid = 'pg_database'::regclass and objid = {_REPLACED})",  # noqa: S608
    f"delete from pg_db_role_setting where setdatabase = {_REPLACED}",  # noqa: S608
    "update pg_database set datacl = null where datname = %(name)s",
)


def name(target: Target) -> str:
    """What the copy of the target's database is called."""
    return _named("marked", target)


def _named(what: str, target: Target) -> str:
    return f"seeder_{what}_{hashlib.sha256((target.database or '').encode()).hexdigest()[:16]}"


def keeper(target: Target) -> Connection:
    """A connection to another database of the server, from which the target's can be replaced."""
    for database in ("postgres", "template1"):
        if database != target.database:
            try:
                return dial(target, database=database, autocommit=True)
            except driver().OperationalError:
                continue
    return connect(target, database="template1", autocommit=True)


def take(connection: Connection, target: Target) -> tuple[bool, str]:
    """Copy the target's database, in place of an earlier copy; answer whether clients lost their connections by it, and the server's
    moment just before they could come again."""
    copy, original = name(target), target.database or ""
    _drop(connection, copy)
    _refuse(connection, original, refuse=True)
    try:
        lost = end_clients(connection, original)
        _make(connection, copy, original, " is_template true allow_connections false")
        moment = snapshot(connection)
    finally:
        _refuse(connection, original, refuse=False)
    return lost, moment


def swap(connection: Connection, target: Target) -> None:
    """Replace the target's database by a copy of the copy. It refuses connections until `open_again`."""
    original, old = target.database or "", _named("replaced", target)
    _drop(connection, old)
    if _there(connection, original):
        _refuse(connection, original, refuse=True)
        end_clients(connection, original)
        _do(connection, "alter database {} rename to {}", original, old)
    _make(connection, original, name(target), " allow_connections false")


def forget_replaced(connection: Connection, target: Target) -> None:
    """Nobody sees any more of the database that was replaced than its name: it keeps no role from being dropped. Needs a superuser."""
    found = {"name": _named("replaced", target)}
    for statement in _FORGET:
        connection.execute(statement, found)


def drop_replaced(connection: Connection, target: Target) -> None:
    """Remove the database that was replaced; what is left of it when this does not happen, the next swap removes."""
    _drop(connection, _named("replaced", target))


def open_again(connection: Connection, target: Target) -> None:
    _refuse(connection, target.database or "", refuse=False)


def clone(connection: Connection, target: Target, database: str) -> None:
    """Copy the copy once more, as a database that takes clients."""
    _make(connection, database, name(target), "")


def drop(connection: Connection, database: str) -> None:
    """Remove the database, whoever is connected to it."""
    if connection.info.server_version >= 130000:  # noqa: PLR2004  (PostgreSQL 13 does both in one go)
        _remove(connection, "drop database if exists {} with (force)", database)
    else:
        _drop(connection, database)


def snapshot(connection: Connection) -> str:
    """The server's moment, which is the same in all its databases."""
    row = connection.execute("select pg_current_snapshot()::text").fetchone()
    return str(row[0]) if row else ""


def is_there(connection: Connection, target: Target) -> bool:
    return _there(connection, name(target))


def end_clients(connection: Connection, database: str) -> bool:
    """End every connection to the database but this one; answer whether there were any."""
    found = False

    def look() -> Verdict:
        nonlocal found
        clients = [pid for (pid,) in connection.execute(_CLIENTS, [database]).fetchall()]
        found = found or bool(clients)
        connection.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", [clients])
        return not_yet(f"{len(clients)} clients are connected to {database}") if clients else READY

    wait_for(f"database {database}", look, within=_SECONDS, first=0.002, longest=0.1)
    return found


def _there(connection: Connection, database: str) -> bool:
    return connection.execute("select from pg_database where datname = %s", [database]).fetchone() is not None


def _refuse(connection: Connection, database: str, *, refuse: bool) -> None:
    _do(connection, f"alter database {{}} allow_connections {str(not refuse).lower()}", database)


def _make(connection: Connection, database: str, source: str, options: str) -> None:
    """Copying files is quicker where nothing is flushed; it asks for checkpoints, which are slow where all is."""
    flushed = connection.execute("select current_setting('fsync') = 'on'").fetchone() == (True,)
    older = connection.info.server_version < 150000  # noqa: PLR2004  (PostgreSQL 15 has the choice)
    strategy = "" if older or flushed else " strategy file_copy"
    _do(connection, f"create database {{}} template {{}}{strategy}{options}", database, source)


def _drop(connection: Connection, database: str) -> None:
    if _there(connection, database):
        _do(connection, "alter database {} is_template false", database)
        end_clients(connection, database)
        _remove(connection, "drop database {}", database)


def _remove(connection: Connection, words: str, database: str) -> None:
    """A server removes a database once each of its clients, of whatever database, has taken note. One that is held while it logs in
    does not, until its time for that is over after a minute: clients that are at it from one attempt to the next are ended."""
    arriving = set[int]()
    for patience in _PATIENCE:
        connection.execute("select set_config('statement_timeout', %s, false)", [str(patience)])
        try:
            _do(connection, words, database)
        except driver().errors.QueryCanceled:
            arriving = _end_stuck(connection, arriving)
        else:
            return
        finally:
            connection.execute("reset statement_timeout")
    _do(connection, words, database)


def _end_stuck(connection: Connection, before: set[int]) -> set[int]:
    """End those that were logging in before and still are; who is at it now."""
    now = {pid for (pid,) in connection.execute(_ARRIVING).fetchall()}
    with contextlib.suppress(driver().errors.InsufficientPrivilege):
        connection.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", [sorted(now & before)])
    return now


def _do(connection: Connection, words: str, *names: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))
