"""An embedded engine made ready to start: its data folder (prepared once per machine, then copied), its files, its command."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seeder.definition.service import Service
from seeder.errors import EnvironmentFailed, said_full
from seeder.frozen import frozen
from seeder.machine import home, process
from seeder.machine.folder import copy_folder, locked
from seeder.passed.launch import LocalLaunch
from seeder.passed.target import Address
from seeder.protocols import Embedded
from seeder.registry import ENGINES
from seeder.runtimes._local_root import Guise, guise

_PREPARE_SECONDS = 120.0


@frozen
class Prepared:
    """A server that only needs to be started."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path


def prepare(launch: LocalLaunch, data: Path, address: Address, environment: Mapping[str, str], state: Path | None = None) -> Prepared:
    """Make the data folder, a copy of `state` if there is one, and answer what to start. `environment` is what every process of the
    run gets.

    Raises EnvironmentFailed with the output of a preparing program that failed.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    whoever = guise(launch, data)
    values = {"{host}": address.host, "{port}": str(address.port), "{data}": str(data)}
    variables = {**environment, **{name: fill(value, values) for name, value in launch.environment.items()}}
    if state:
        copy_folder(state, data)
        _hand_over(data, whoever)
    elif launch.prepare:
        _first_content(launch, data, whoever, values, variables)
    _write(launch.files, data, whoever, values)
    whoever.own(data)
    return Prepared(whoever.command([fill(word, values) for word in launch.command]), variables, data)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the known placeholders; other braces stay."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _first_content(launch: LocalLaunch, data: Path, whoever: Guise, values: Mapping[str, str], environment: Mapping[str, str]) -> None:
    kept = home.cache() / "engines" / _key(launch, whoever)
    with locked(kept) as made:
        if not made:
            _write(launch.given, data, whoever, values)
            for words in launch.prepare:
                _run(launch, whoever.command([fill(word, values) for word in words]), data, environment)
            for name in launch.given:  # secrets of this machine: what the folder is kept as may travel
                (data / name).unlink()
            draft = kept.with_name(f"{kept.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed in the midst
            copy_folder(data, draft)
            draft.rename(kept)
            return
    copy_folder(kept, data)


def _hand_over(data: Path, whoever: Guise) -> None:
    """A layer belongs to whom its server ran as, and this one may run as somebody else: root of a namespace, or nobody."""
    if os.geteuid() == 0:
        user, group = whoever.owner or (0, 0)
        for path in (data, *data.rglob("*")):
            os.chown(path, user, group, follow_symlinks=False)


def launch(service: Service, name: str, image: str | None) -> LocalLaunch:
    """How the engine of that name runs the service here, with another image's version if one is given. Raises EnvironmentFailed."""
    engine = ENGINES.get(name)
    if not isinstance(engine, Embedded):
        raise EnvironmentFailed(service.name, f"engine {engine.name} does not run without containers", "use --runtime docker", service.mark)
    return engine.local(replace(service, image=image) if image else service)


def build(launch: LocalLaunch) -> str:
    """Names the server's build: a folder that one server of it has left can be taken up by another."""
    return hashlib.sha256(json.dumps([launch.program, _binaries(launch), platform.machine()]).encode()).hexdigest()[:16]


def _binaries(launch: LocalLaunch) -> list[tuple[str, int, int]]:
    binaries = sorted({words[0] for words in (launch.command, *launch.prepare)})
    return [(path, state.st_size, state.st_mtime_ns) for path in binaries if Path(path).exists() and (state := Path(path).stat())]


def _key(launch: LocalLaunch, whoever: Guise) -> str:
    """What the prepared folder is a function of: the program as it is here, what it is given, and who owns the result."""
    parts = [launch.program, launch.prepare, sorted(launch.given.items()), _binaries(launch), whoever.owner]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _run(launch: LocalLaunch, command: Sequence[str], data: Path, environment: Mapping[str, str]) -> None:
    done = process.run(command, timeout=_PREPARE_SECONDS, cwd=data, environment=environment)
    if done.code != 0:
        if full := said_full(done.output):
            raise full
        cause = f"{Path(command[0]).name} ended with code {done.code} while its data folder was prepared"
        raise EnvironmentFailed(launch.program, cause, "the log says why; `seeder doctor` checks the embedded engines", log=done.tail())


def _write(files: Mapping[str, str], data: Path, whoever: Guise, values: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = data / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(fill(text, values), encoding="utf-8")
        whoever.own(path, *(folder for folder in path.parents if folder.is_relative_to(data)))
