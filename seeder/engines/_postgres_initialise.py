"""What is done once, after the server's first start: databases beyond the image's own; without an image, what its entrypoint does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, LiteralString

from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.engines import _postgres_image, _postgres_init_scripts, _postgres_local
from seeder.engines._postgres_connection import connect, dial, driver
from seeder.engines._postgres_image import SUPERUSER, Login
from seeder.passed.target import Address, Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_INTERIM = "seeder_interim"


def initialise(service: Service, stores: Sequence[Store], address: Address, *, image: bool) -> None:
    login = _postgres_image.login(service)
    target = Target(service.name, "postgres", "postgresql", address, login.user, login.password, login.database)
    if not image and _hand_over(target, login):
        _postgres_init_scripts.run(service, target)
    wanted = sorted({store.database for store in stores if store.database} - {login.database})
    if wanted:
        with closing(connect(target, autocommit=True)) as connection:
            for name in wanted:
                _create_database(connection, name, login.user)


def _create_database(connection: Connection, name: str, owner: str) -> None:
    from psycopg import sql

    if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))


def _hand_over(target: Target, login: Login) -> bool:
    """Give a prepared cluster to the service's own roles; False when that was done before.

    The first role is renamed, not replaced: as with the image, one superuser owns everything. A role cannot rename itself, so
    another one does it and is dropped.
    """
    first = _postgres_local.first_role(target)
    interim = replace(first, user=_INTERIM)
    owner = replace(first, user=login.user if login.superuser else SUPERUSER)
    try:
        connection = dial(first, autocommit=True)
    except driver().OperationalError:
        return False
    with closing(connection):
        _alter(connection, "create role {} superuser login", _INTERIM)
        _set_password(connection, _INTERIM, interim.password)
    with closing(connect(interim, autocommit=True)) as connection:
        _alter(connection, "alter role {} rename to {}", _postgres_local.BOOTSTRAP, owner.user or "")
    with closing(connect(owner, autocommit=True)) as connection:
        _alter(connection, "drop role {}", _INTERIM)
        if not login.superuser:
            _alter(connection, "create role {} login createdb", login.user)
        _create_database(connection, login.database, login.user)
        _set_password(connection, owner.user or "", login.password if login.superuser else login.owner_password)
        if not login.superuser:
            _set_password(connection, login.user, login.password)
    return True


def _alter(connection: Connection, words: LiteralString, *names: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))


def _set_password(connection: Connection, role: str, password: str | None) -> None:
    """Only its hash is sent, so that it stands in no log."""
    from psycopg import sql

    secret = sql.SQL("null") if not password else sql.Literal(_hash(connection, role, password))
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), secret))


def _hash(connection: Connection, role: str, password: str) -> str:
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
