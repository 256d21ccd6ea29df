"""Init scripts: what is mounted into the image's folder for them, and is run here as the image would run it.

A plan only names them; what running them needs is imported then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from seeder.definition.service import Service
from seeder.engines import _postgres_local
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target

_FOLDER = PurePosixPath("/docker-entrypoint-initdb.d")
_SECONDS = 600.0
_PACKED = (".gz", ".xz")


def notes(service: Service) -> Iterator[str]:
    """What an image's entrypoint would run once inside the container is run here by whoever runs seeder. Raises EnvironmentFailed for
    one that cannot be: a database without it would be another."""
    whose = "with the rights of root" if os.geteuid() == 0 else "with your rights"
    for name in sorted(_sources(service)):
        if name.endswith(".sh"):
            yield f"its init script {name} runs on this machine, {whose}; --runtime docker runs it in the container"
        elif _is_sql(name):
            yield f"its init script {name} is run by psql of this machine, {whose}"
        elif name.endswith(".sql.zst"):
            cause = f"nothing here unpacks its init script {name}, which the image would run"
            raise EnvironmentFailed(service.name, cause, "pack it with gzip or xz, or use --runtime docker")


def run(service: Service, target: Target) -> None:
    """In the order of the names. Raises EnvironmentFailed with the output of one that failed."""
    import tempfile

    from seeder.machine import process

    with tempfile.TemporaryDirectory(prefix="seeder-", dir=process.scratch()) as folder:
        for name, source in sorted(_sources(service).items()):
            script = _file(name, source, Path(folder))
            if command := _command(name, script, Path(folder)):
                done = process.run(command, timeout=_SECONDS, cwd=script.parent, environment=_environment(service, target))
                if done.code != 0:
                    cause = f"the init script {name} ended with code {done.code}"
                    raise EnvironmentFailed(service.name, cause, f"correct {script}", log=done.tail())


def _sources(service: Service) -> dict[str, Path | str]:
    """Name -> the file, or the text where the definition holds it."""
    found: dict[str, Path | str] = {}
    for mount in service.mounts:
        target = PurePosixPath(mount.target)
        source = Path(mount.source) if mount.source and mount.kind != "volume" else None
        if target == _FOLDER and source and source.is_dir():
            found |= {path.name: path for path in source.iterdir() if path.is_file()}
        elif target.parent == _FOLDER and mount.content is not None:
            found[target.name] = mount.content
        elif target.parent == _FOLDER and source and source.is_file():
            found[target.name] = source
    return found


def _file(name: str, source: Path | str, folder: Path) -> Path:
    if isinstance(source, Path):
        return source
    (folder / name).write_text(source, encoding="utf-8")
    return folder / name


def _is_sql(name: str) -> bool:
    return name.endswith((".sql", *(f".sql{packed}" for packed in _PACKED)))


def _command(name: str, script: Path, folder: Path) -> list[str] | None:
    """As the image runs a file of that name; None for one that it leaves alone."""
    if name.endswith(".sh"):
        return [str(script)] if os.access(script, os.X_OK) else ["bash", str(script)]
    if not _is_sql(name):
        return None
    plain = _unpacked(script, folder / f"{name}.plain") if script.suffix in _PACKED else script
    return ["psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-w", "-f", str(plain)]


def _unpacked(script: Path, plain: Path) -> Path:
    import gzip
    import lzma
    import shutil

    with (gzip if script.suffix == ".gz" else lzma).open(script) as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out)
    return plain


def _environment(service: Service, target: Target) -> dict[str, str]:
    """What scripts of the image may rely on, and where the server is."""
    binaries = _postgres_local.programs()
    path = os.pathsep.join([*([str(binaries)] if binaries else []), os.environ.get("PATH", os.defpath)])
    login = {"USER": target.user or "", "DATABASE": target.database or "", "PASSWORD": target.password or ""}
    given = {"POSTGRES_USER": login["USER"], "POSTGRES_DB": login["DATABASE"], "POSTGRES_PASSWORD": login["PASSWORD"]}
    inherited = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    server = {"PGHOST": target.address.host, "PGPORT": str(target.address.port), **{f"PG{name}": value for name, value in login.items()}}
    return {**inherited, **service.environment, **given, **server, "PATH": path}
