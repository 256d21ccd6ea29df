"""kill -9 of seeder, whatever it is doing, leaves nothing within ten seconds."""

import os

import pytest

from tests.scenarios.seeder import leftovers, listening, open_ports, reached, run_id, started, until

POINTS = {"up": "start", "migrate": "migrate", "load": "load", "gate": "gate", "command": "command", "teardown": "teardown"}
TIMES = int(os.environ.get("SEEDER_TEST_KILLS", "1"))


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("point", POINTS)
def test_killed_seeder_leaves_nothing(project, home, runtime, point, time):
    folder = project("small")
    seconds = "0.2" if point == "teardown" else "60"
    ports: set[int] = set()
    with started("run", "small", "--scenario", "ready", "--runtime", runtime, "--", "sleep", seconds, cwd=folder) as child:
        until(f"stage {point}", lambda: reached(folder, POINTS[point]) or child.poll() is not None)
        assert reached(folder, POINTS[point]), (folder / "seeder.log").read_text()
        ports |= listening(child.pid)
        run = run_id(folder)
        child.kill()
        child.wait()
        until("nothing is left", lambda: not leftovers(run, home) and not open_ports(ports), within=10)
