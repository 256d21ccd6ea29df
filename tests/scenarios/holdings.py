"""What a run holds on this machine at one moment, so that it can be told later what of it is still there."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.scenarios.seeder import docker, leftovers, listening, open_ports

ROOT = Path(__file__).resolve().parents[2]
MEMORY = Path("/dev/shm")
SEGMENTS = Path("/proc/sysvipc/shm")


def everywhere() -> set[int]:
    """Every port of this machine on which anybody listens."""
    return {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr}


@dataclass(frozen=True)
class Before:
    """This machine before the run. `scratch` is the TMPDIR that the run is given."""

    home: Path
    scratch: Path
    ports: frozenset[int]

    @classmethod
    def of(cls, home: Path, scratch: Path) -> Before:
        scratch.mkdir()
        return cls(home, scratch, frozenset(everywhere()))


@dataclass(frozen=True)
class Holdings:
    """Of one run: the seeder with all its descendants (the warden too), the ports and volumes of them and of its containers, and
    the temporary files and shared memory that they have open."""

    run: str
    before: Before
    processes: tuple[psutil.Process, ...]
    ports: frozenset[int]
    volumes: frozenset[str]
    files: frozenset[Path]

    def left(self) -> list[str]:
        """What is still there, beside whatever else belongs to the run."""
        family = {p.pid for p in self.processes}
        return [
            *self.late(),
            *(f"process {p.pid} of its family" for p in self.processes if _alive(p)),
            *(f"port {port}" for port in open_ports(set(self.ports - self.before.ports))),
            *(f"volume {name}" for name in self.volumes & set(docker("volume", "ls", "-q"))),
            *(f"file {path}" for path in self.files if path.exists()),
            *(f"shared memory of process {pid}" for pid in _creators() & family),
        ]

    def late(self) -> list[str]:
        """What carries the run's id, whenever it was made, and what lies where its temporary files belong."""
        system = Path(tempfile.gettempdir())
        found = [
            *self.before.scratch.iterdir(),
            *(path for path in system.iterdir() if self.run in path.name or _of_ports(path.name, self.ports)),
        ]
        return [*leftovers(self.run, self.before.home), *(f"temporary {path}" for path in found)]


def holdings(run: str, seeder: int, before: Before) -> Holdings:
    """What the run of the seeder process holds now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(seeder)
        family = (parent, *parent.children(recursive=True))
        ids = docker("ps", "-aq", "--filter", f"label=dev.seeder.run={run}")
        containers = json.loads("".join(docker("inspect", *ids))) if ids else []
        ports = listening(seeder) | {port for container in containers for port in _published(container)}
        volumes = {mount["Name"] for container in containers for mount in container["Mounts"] if mount["Type"] == "volume"}
        files = {path for process in family for path in _temporary(process, run)}
        return Holdings(run, before, family, frozenset(ports), frozenset(volumes), frozenset(files))
    raise AssertionError(f"seeder {seeder} is gone")


def _published(container: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> Iterator[int]:
    """Also those of a container that was not started yet."""
    for places in (container["HostConfig"]["PortBindings"] or {}).values():
        yield from (int(place["HostPort"]) for place in places if place["HostPort"])


def _temporary(process: psutil.Process, run: str) -> Iterator[Path]:
    """Files of the system's temporary folder and of its shared memory that the process has open or mapped; the run's folder is asked
    for by name."""
    roots = (Path(tempfile.gettempdir()), MEMORY)
    with contextlib.suppress(psutil.Error, OSError):
        paths = {Path(file.path) for file in process.open_files()} | {Path(area.path) for area in process.memory_maps()}
        yield from (path for path in paths if any(path.is_relative_to(root) for root in roots) and _passing(path, run))


def _passing(path: Path, run: str) -> bool:
    """Test runs keep their own folders below the system's temporary one, and a checkout may lie there: those are not the run's."""
    if path.is_relative_to(ROOT) or path.is_relative_to(sys.prefix):
        return False
    return path.parent == MEMORY or not (run in str(path) or any(part.startswith("pytest-") for part in path.parts))


def _of_ports(name: str, ports: frozenset[int]) -> bool:
    """Sockets and locks are named after the port of their server (`.s.PGSQL.5432`)."""
    return any(str(port) in name.split(".") for port in ports)


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _creators() -> set[int]:
    """The processes that made the System V segments of this machine."""
    if not SEGMENTS.exists():
        return set()
    head, *lines = SEGMENTS.read_text().splitlines()
    column = head.split().index("cpid")
    return {int(line.split()[column]) for line in lines}
