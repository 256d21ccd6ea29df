"""What is done once, after the server's first start: databases beyond the image's own; without an image, what its entrypoint does."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, LiteralString

from seeder import process
from seeder.definition.stack import Service, Store
from seeder.engines import _postgres_image, _postgres_local
from seeder.engines._postgres_connection import connect, dial, driver
from seeder.engines._postgres_image import SUPERUSER, Login
from seeder.errors import EnvironmentFailed
from seeder.target import Address, Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_SCRIPTS = PurePosixPath("/docker-entrypoint-initdb.d")
_SCRIPT_SECONDS = 600.0
_INTERIM = "seeder_interim"
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}


def initialise(service: Service, stores: Sequence[Store], address: Address, *, image: bool) -> None:
    login = _postgres_image.login(service)
    target = Target(service.name, "postgres", "postgresql", address, login.user, login.password, login.database)
    if not image and _hand_over(target, login):
        _run_scripts(service, target)
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


def _run_scripts(service: Service, target: Target) -> None:
    """What is mounted into the image's folder for it, in the order of the names."""
    with tempfile.TemporaryDirectory(prefix="seeder-", dir=process.scratch()) as folder:
        for name, script in sorted(_mounted(service, Path(folder)).items()):
            if command := _command(name, script, Path(folder)):
                done = process.run(command, timeout=_SCRIPT_SECONDS, cwd=script.parent, environment=_environment(service, target))
                if done.code != 0:
                    cause = f"the init script {name} ended with code {done.code}"
                    raise EnvironmentFailed(service.name, cause, f"correct {script}", log=done.tail())


def _mounted(service: Service, folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for mount in service.mounts:
        target = PurePosixPath(mount.target)
        source = Path(mount.source) if mount.source and mount.kind != "volume" else None
        if target == _SCRIPTS and source and source.is_dir():
            found |= {path.name: path for path in source.iterdir() if path.is_file()}
        elif target.parent == _SCRIPTS and mount.content is not None:
            found[target.name] = folder / target.name
            found[target.name].write_text(mount.content, encoding="utf-8")
        elif target.parent == _SCRIPTS and source and source.is_file():
            found[target.name] = source
    return found


def _command(name: str, script: Path, folder: Path) -> list[str] | None:
    """As the image runs a file of that name; None for one that it leaves alone."""
    if name.endswith(".sh"):
        return [str(script)] if os.access(script, os.X_OK) else ["bash", str(script)]
    plain = script
    if script.suffix in _OPENERS and name.endswith(f".sql{script.suffix}"):
        plain = folder / f"{name}.plain"
        with _OPENERS[script.suffix](script) as packed, plain.open("wb") as out:
            shutil.copyfileobj(packed, out)
    elif not name.endswith(".sql"):
        return None
    return ["psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-w", "-f", str(plain)]


def _environment(service: Service, target: Target) -> dict[str, str]:
    """What scripts of the image may rely on, and where the server is."""
    binaries = _postgres_local.programs()
    path = os.pathsep.join([*([str(binaries)] if binaries else []), os.environ.get("PATH", os.defpath)])
    login = {"USER": target.user or "", "DATABASE": target.database or "", "PASSWORD": target.password or ""}
    given = {"POSTGRES_USER": login["USER"], "POSTGRES_DB": login["DATABASE"], "POSTGRES_PASSWORD": login["PASSWORD"]}
    inherited = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    server = {"PGHOST": target.address.host, "PGPORT": str(target.address.port), **{f"PG{name}": value for name, value in login.items()}}
    return {**inherited, **service.environment, **given, **server, "PATH": path}
