"""kill -9 of seeder, whatever it is doing, leaves nothing within ten seconds."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from seeder.wait import READY, Verdict, not_yet, wait_for
from tests.scenarios.holdings import Before, Holdings, holdings
from tests.scenarios.seeder import events, reached, run_id, started, until

STAGES = {"up": "start", "migrate": "migrate", "load": "load", "gate": "gate", "command": "command", "teardown": "teardown"}
POINTS = ("images", "init", *STAGES)
TIMES = int(os.environ.get("SEEDER_TEST_KILLS", "1"))

# Run by postgres's own first start: inside its container, or as a child of seeder. It tells by a file beside it that it runs.
INIT = '#!/bin/bash\ntouch "$(dirname "$0")/runs"\nexec sleep 600\n'


@pytest.fixture(scope="module")
def killed() -> Iterator[list[Holdings]]:
    """What the killed runs held. Long after the last look at each, nothing of it has come back."""
    every: list[Holdings] = []
    yield every
    assert [what for one in every for what in one.late()] == []


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("point", POINTS)
def test_killed_seeder_leaves_nothing(project, home, tmp_path, killed, runtime, point, time):
    folder = project("small")
    if point == "images":
        home = tmp_path / "home"  # in a home of its own nothing is prepared yet
    if point == "init":
        _hang_in_init(folder)
    before = Before.of(home, tmp_path / "scratch")
    words = ("run", "small", "--scenario", "ready", "--runtime", runtime, "--", "sleep", "0.2" if point == "teardown" else "60")
    with started(*words, cwd=folder, SEEDER_HOME=str(home), TMPDIR=str(before.scratch)) as child:
        until(f"point {point}", lambda: _at(point, folder, child.pid) or child.poll() is not None)
        assert child.poll() is None, (folder / "seeder.log").read_text()
        child.send_signal(signal.SIGSTOP)  # it holds what is looked at now when it dies
        held = holdings(run_id(folder), child.pid, before)
        assert held.left(), "nothing can be seen of a run that is there"
        killed.append(held)
        child.kill()
        child.wait()
        wait_for(f"run {held.run}", lambda: _gone(held), within=10)


def _gone(held: Holdings) -> Verdict:
    left = held.left()
    return not_yet(", ".join(left)) if left else READY


def _at(point: str, folder: Path, seeder: int) -> bool:
    if point == "images":
        return _makes(folder, seeder)
    if point == "init":
        return (folder / "init" / "runs").exists()
    return reached(folder, STAGES[point])


def _makes(folder: Path, seeder: int) -> bool:
    """Compose has begun to create containers, or initdb fills a data folder."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(seeder).children(recursive=True)
        return any(e.get("state") == "creating" for e in events(folder)) or any(child.name() == "initdb" for child in children)
    return False


def _hang_in_init(folder: Path) -> None:
    scripts = folder / "init"
    scripts.mkdir()
    scripts.chmod(0o777)  # the server's user, inside its container, writes there
    (scripts / "10-slow.sh").write_text(INIT)
    (scripts / "10-slow.sh").chmod(0o755)
    file = folder / "compose.yaml"
    file.write_text(file.read_text().replace("volumes: [db-data", 'volumes: ["./init:/docker-entrypoint-initdb.d", db-data'))
