"""Driving the `seeder` command as a user does, and looking for what a run left behind without asking seeder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from seeder.wait import READY, Verdict, not_yet, wait_for

SEEDER = [sys.executable, "-m", "seeder"]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def seeder(*words: str, cwd: Path, timeout: float = 180, **variables: str) -> Said:
    """Run `seeder WORDS` in a folder and wait."""
    environment = {**os.environ, **variables}
    done = subprocess.run([*SEEDER, *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def started(*words: str, cwd: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start `seeder WORDS` and leave it running; it is killed at the end if it still runs."""
    log = (cwd / "seeder.log").open("w")
    environment = {**os.environ, **variables}
    child = subprocess.Popen(
        [*SEEDER, *words], cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        log.close()


def until(what: str, look: Callable[[], object], within: float = 60) -> None:
    """Wait until `look` answers something true."""

    def verdict() -> Verdict:
        return READY if look() else not_yet("not so yet")

    wait_for(what, verdict, within=within, longest=0.1)


def events(project: Path) -> list[dict[str, object]]:
    """The journal of the project's only run so far."""
    lines = [line for file in project.glob(".seeder/runs/*/events.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def run_id(project: Path) -> str:
    """The id of the project's only run."""
    (folder,) = project.glob(".seeder/runs/*")
    return folder.name


def reached(project: Path, stage: str) -> bool:
    """Whether the journal says that the stage has begun."""
    return any(e["event"] == "stage.started" and e["stage"] == stage for e in events(project))


def listening(pid: int) -> set[int]:
    """Ports on which the process and its descendants listen."""
    found: set[int] = set()
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found |= {c.laddr.port for c in process.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN}
    return found


def open_ports(ports: set[int]) -> list[int]:
    """Those of the ports that still accept connections."""
    return [port for port in sorted(ports) if not _refused(port)]


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def docker(*words: str) -> list[str]:
    """The lines that `docker WORDS` answers; none where there is no docker."""
    if not shutil.which("docker"):
        return []
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False).stdout.splitlines()


def leftovers(run: str, home: Path) -> list[str]:
    """Everything on this machine that still belongs to the run, by its label or by its name: processes, folders, containers, networks,
    volumes, images."""
    found = [f"process {pid}: {name}" for pid, name in _processes(run, home)]
    found += [f"folder {path}" for path in _named(run, home)]
    listings = {"container": ("ps", "-a", "{{.Names}}"), "network": ("network", "ls", "{{.Name}}"), "volume": ("volume", "ls", "{{.Name}}")}
    for kind, (*words, name) in listings.items():
        lines = docker(*words, "--format", f"{name} {{{{.Labels}}}}")
        found += [f"{kind} {line.split()[0]}" for line in lines if run in line]
    return found + [f"image {one}" for one in docker("images", "-aq", "--filter", f"label=dev.seeder.run={run}")]


def _processes(run: str, home: Path) -> Iterator[tuple[int, str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline())
            labelled = process.environ().get("SEEDER_OWNER") == run
            if process.pid != os.getpid() and (labelled or f"{home}/state/runs/{run}" in words or _logs_below(process.pid, home, run)):
                yield process.pid, words


def _logs_below(pid: int, home: Path, run: str) -> bool:
    with contextlib.suppress(OSError):
        return str(home / "state" / "runs" / run) in str(Path(f"/proc/{pid}/fd/1").readlink())
    return False


def _named(run: str, home: Path) -> list[str]:
    """Whatever is named after the run below seeder's home; folders that vanish meanwhile are no leftovers."""
    return [str(Path(folder) / name) for folder, folders, files in os.walk(home) for name in (*folders, *files) if run in name]
