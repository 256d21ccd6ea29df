"""What the local runtime needs of this machine, looked at one by one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from seeder.definition.service import Service
from seeder.errors import Mark, SeederError
from seeder.machine import process
from seeder.passed.notice import Diagnosis
from seeder.protocols import Embedded
from seeder.registry import ENGINES
from seeder.runtimes import _local_root, _ports


def diagnose() -> Iterator[Diagnosis]:
    """Embedded engines, as whom they run, and ports."""
    for name in ENGINES.names():
        yield _engine(name)
    if sys.platform != "win32" and os.geteuid() == 0:
        yield _root()
    yield _port()


def _engine(name: str) -> Diagnosis:
    """Whether the server for the engine's plain image is here and can be executed."""
    subject = f"embedded {name}"
    try:
        engine = ENGINES.get(name)
        if not isinstance(engine, Embedded):
            return Diagnosis(subject, "warn", "does not run without containers", "use --runtime docker for stacks that need it")
        launch = engine.local(Service(name, Mark(Path("compose.yaml"), 1), image=name))
        said = process.run([launch.command[0], "--version"], timeout=20)
    except SeederError as error:
        problem = error.problems[0]
        return Diagnosis(subject, "fail", problem.cause, problem.remedy)
    if said.code != 0:
        return Diagnosis(subject, "fail", f"{launch.command[0]} ended with code {said.code}: {said.tail(1)}", "install the package again")
    return Diagnosis(subject, "ok", launch.program)


def _root() -> Diagnosis:
    if _local_root.namespaces():
        return Diagnosis("root", "ok", "servers that refuse root run in a user namespace")
    return Diagnosis("root", "ok", "no user namespace can be made here; servers that refuse root run as nobody")


def _port() -> Diagnosis:
    run = f"doctor-{os.getpid()}"
    try:
        (number,) = _ports.reserve(run, 1)
    except (SeederError, OSError) as error:
        return Diagnosis("ports", "fail", str(error), "end runs that are not needed (`seeder ls`, `seeder down`)")
    finally:
        _ports.release(run)
    return Diagnosis("ports", "ok", f"can be reserved (from {_ports.FIRST} to {_ports.LAST}; {number} was free)")
