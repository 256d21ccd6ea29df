"""Docker that is not there, is half there, or goes away in the middle of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.docker_endpoint import DEFAULT
from tests.scenarios.failing import WORDS, change, proper, result, run
from tests.scenarios.seeder import leftovers, reached, run_id, seeder, started, until

pytestmark = pytest.mark.docker


class Front:
    """A socket in front of the daemon's that can be closed without touching the daemon: at a path, else on a port of this machine."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._open: dict[socket.socket, socket.socket] = {}  # who was accepted -> the daemon behind
        self._lock = threading.Lock()
        self._closed = False
        self._server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._server.bind(str(path) if path else ("127.0.0.1", 0))
        self._server.listen(64)
        self.url = f"unix://{path}" if path else f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more, and who was talking is cut off: without a farewell where it came over a port."""
        with self._lock:
            self._closed = True
            if self._path:
                self._path.unlink(missing_ok=True)
            for one in (self._server, *self._open.values(), *(self._open if self._path else ())):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            for caller in self._open:
                with contextlib.suppress(OSError):
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    caller.shutdown(socket.SHUT_RD)
                caller.close()
            self._open.clear()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._server.accept()
                behind = socket.socket(socket.AF_UNIX)
                behind.connect(os.environ.get("DOCKER_HOST", DEFAULT).removeprefix("unix://"))
                self._open[caller] = behind
                for source, sink in ((caller, behind), (behind, caller)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def front() -> Iterator[Front]:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        opened = Front(Path(folder) / "docker.sock")
        yield opened
        opened.close()


@pytest.mark.parametrize("stage", ["images", "start", "command", "teardown"])
def test_a_daemon_that_goes_away_is_told_and_the_run_swept_once_it_is_back(project, tmp_path, front, stage):
    folder, home = project("small"), tmp_path / "home"
    own = {"SEEDER_HOME": str(home)}
    seconds = "2" if stage == "teardown" else "10"
    with started(*WORDS, "docker", "--", "sleep", seconds, cwd=folder, DOCKER_HOST=front.url, **own) as child:
        until(f"stage {stage}", lambda: reached(folder, stage) or child.poll() is not None)
        front.close()
        code = child.wait(150)
    said = (folder / "seeder.log").read_text()
    assert code == (121 if stage in ("command", "teardown") else 123), said
    assert "Traceback" not in said
    assert "does not answer" in said
    assert "not removed: " in said
    assert "seeder gc" in said
    assert result(folder)["left"]
    run = run_id(folder)
    assert "does not answer" in seeder("gc", cwd=folder, DOCKER_HOST=front.url, **own).err
    proper(seeder("gc", cwd=folder, **own), 0)
    assert leftovers(run, home) == []


def test_a_daemon_that_goes_away_while_it_is_listened_to_is_told(project, tmp_path):
    """The output of a healthcheck comes over a connection of its own, which breaks in the middle."""
    folder, home, front = project("small"), tmp_path / "home", Front()
    change(folder, "compose.yaml", "    ports: [", '    healthcheck: {test: ["CMD", "sleep", "600"], timeout: 600s}\n    ports: [')
    change(folder, "compose.yaml", "      ready: {http: /health}\n", "")
    own = {"SEEDER_HOME": str(home)}
    with started(*WORDS, "docker", "--", "true", cwd=folder, DOCKER_HOST=front.url, **own) as child:
        until("the healthcheck", lambda: child.poll() is not None or _checks(folder))
        front.close()
        code = child.wait(150)
    said = (folder / "seeder.log").read_text()
    assert code == 123, said
    assert "Traceback" not in said
    assert "docker: the daemon does not answer: " in said
    assert "start Docker, or set DOCKER_HOST" in said
    assert result(folder)["ended_by"] == "environment"
    proper(seeder("gc", cwd=folder, **own), 0)
    assert leftovers(run_id(folder), home) == []


def _checks(folder: Path) -> bool:
    """Whether the healthcheck runs in the service of the project's only run."""
    command = ["docker", "ps", "-q", "--filter", f"label=dev.seeder.run={run_id(folder)}"] if any(folder.glob(".seeder/runs/*")) else []
    containers = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() if command else []
    tops = [subprocess.run(["docker", "top", one], capture_output=True, text=True, check=False).stdout for one in containers]
    return any("sleep 600" in top for top in tops)


def test_without_a_daemon_docker_is_refused_and_auto_takes_local(project, tmp_path):
    folder, nowhere = project("small"), f"unix://{tmp_path}/none.sock"
    proper(run(folder, "docker", DOCKER_HOST=nowhere), 123, "docker: the daemon does not answer", "start Docker, or set DOCKER_HOST")
    assert not (folder / ".seeder").exists()
    said = run(folder, "auto", DOCKER_HOST=nowhere)
    proper(said, 0, "on local")


@pytest.mark.parametrize(
    ("script", "cause", "remedy"),
    [
        (None, "there is no docker command on PATH", "install Docker"),
        ('[ "$1" = compose ] && { echo "docker: \'compose\' is not a docker command." >&2; exit 1; }', "no compose plugin", "Compose 2.20"),
        ('[ "$1" = compose ] && { echo 2.3.3; exit 0; }', "version 2.3.3 is too old", "Compose 2.20"),
    ],
)
def test_half_a_docker_is_told(project, tmp_path, script, cause, remedy):
    folder, programs = project("small"), tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "true", "cp"):
        (programs / name).symlink_to(shutil.which(name))
    if script:
        (programs / "docker").write_text(f'#!/bin/sh\n{script}\nexec {shutil.which("docker")} "$@"\n')
        (programs / "docker").chmod(0o755)
    proper(run(folder, "docker", PATH=str(programs)), 123, cause, remedy)
    assert not (folder / ".seeder").exists()
    proper(run(folder, "auto", PATH=str(programs)), 0, "on local")
