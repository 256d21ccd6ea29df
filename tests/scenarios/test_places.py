"""A run is acted on only where it lives: another daemon that answers meanwhile has nothing of it, and says nothing about it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.docker_engine.endpoint import endpoint
from tests.scenarios.bare import bare
from tests.scenarios.failing import proper
from tests.scenarios.front import Front
from tests.scenarios.seeder import leftovers, seeder

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("cached")]


@pytest.fixture
def other() -> Iterator[str]:
    """Where another daemon answers: the same one behind a socket that says another id."""
    identity = subprocess.run(["docker", "info", "--format", "{{.ID}}"], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        opened = Front(Path(folder) / "docker.sock", (identity, identity[::-1]))
        yield opened.url
        opened.close()


@pytest.fixture
def up(project, tmp_path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """An environment whose time is up at once: its project, its run, and the home that knows it."""
    folder, own = bare(project("small")), {"SEEDER_HOME": str(tmp_path / "home")}
    said = seeder("up", "small", "--runtime", "docker", "--ttl", "1ms", "--json", cwd=folder, **own)
    proper(said, 0)
    run = next((folder / ".seeder" / "runs").iterdir()).name
    yield folder, run, own
    seeder("down", "--force", run, cwd=folder, **own)


def test_a_run_on_another_daemon_is_left_alone_and_one_of_another_home_ended_only_by_force(up, other, tmp_path):
    folder, run, own = up
    there = {**own, "DOCKER_HOST": other}
    before = leftovers(run, tmp_path / "home")
    told = f"it does not live at DOCKER_HOST={other}: set {endpoint().reach}"
    proper(seeder("down", run, cwd=folder, **there), 3, told)
    said = seeder("gc", cwd=folder, **there)
    proper(said, 3, told)
    assert "no runs removed" in said.err
    proper(seeder("run", "small", "--runtime", "local", "--", "true", cwd=folder, **there), 0)
    proper(seeder("gate", "--run", run, cwd=folder, **there), 3, told)
    assert leftovers(run, tmp_path / "home") == before
    here = {"SEEDER_HOME": str(tmp_path / "elsewhere")}
    assert run not in seeder("ls", cwd=folder, **here).out
    (row,) = [row for row in json.loads(seeder("ls", "-a", "--json", cwd=folder, **here).out) if row["run"] == run]
    assert row["state"] == "foreign"
    proper(seeder("down", run, cwd=folder, **here), 2, "there is no such run")
    proper(seeder("down", "--force", run, cwd=folder, **here), 0, f"note: nobody here claims run {run}", "nothing left")
    proper(seeder("gc", cwd=folder, **own), 0)
    assert leftovers(run, tmp_path / "home") == []


def test_a_run_whose_daemon_is_lost_can_be_given_up(up, tmp_path):
    folder, run, own = up
    record = tmp_path / "home" / "state" / "runs" / run / "run.json"
    identity = json.loads(record.read_text())["place"]["id"]
    record.write_text(record.read_text().replace(identity, "another"))
    proper(seeder("down", run, cwd=folder, **own), 3, f"it does not live at {endpoint().reach} any more", f"seeder down --force {run}")
    proper(seeder("down", "--force", run, cwd=folder, **own), 0, "nothing left")
    assert leftovers(run, tmp_path / "home") == []
