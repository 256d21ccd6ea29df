"""Docker that is not there, is half there, or goes away in the middle of a run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.cases import product
from tests.scenarios.failing import WORDS, change, proper, result, run
from tests.scenarios.front import Front
from tests.scenarios.seeder import leftovers, reached, run_id, seeder, started, until

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("cached")]


@pytest.fixture
def front() -> Iterator[Front]:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        opened = Front(Path(folder) / "docker.sock")
        yield opened
        opened.close()


@product("stage", ["images", "start", "command", "teardown"], some=[["command"]])
def test_a_daemon_that_goes_away_is_told_and_the_run_swept_once_it_is_back(project, tmp_path, front, stage):
    folder, home = project("small"), tmp_path / "home"
    own = {"SEEDER_HOME": str(home)}
    command = ("true",) if stage == "teardown" else ("sh", "-c", "while test ! -e go; do sleep 0.1; done")
    with started(*WORDS, "docker", "--", *command, cwd=folder, DOCKER_HOST=front.url, **own) as child:
        until(f"stage {stage}", lambda: reached(folder, stage) or child.poll() is not None)
        front.close()
        (folder / "go").touch()
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


@pytest.mark.acceptance  # the one above goes away in the midst of more
def test_a_daemon_that_goes_away_while_it_is_listened_to_is_told(project, tmp_path):
    """The output of a healthcheck comes over a connection of its own, which breaks in the middle."""
    folder, home, front = bare(project("small")), tmp_path / "home", Front()
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
    assert "docker: the daemon does not answer at " in said
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
    folder, nowhere = bare(project("small")), f"unix://{tmp_path}/none.sock"
    proper(
        run(folder, "docker", DOCKER_HOST=nowhere),
        123,
        f"docker: the daemon does not answer at {nowhere}: ",
        "start Docker, or set DOCKER_HOST",
    )
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
    plan = seeder("plan", "small", "--runtime", "auto", cwd=folder, PATH=str(programs)).out
    assert "runtime local (docker is not available: " in plan
    assert cause in plan
