"""`seeder.up` in Python programs: they have environments as suites of tests do; what goes wrong at the end of the block is raised, and
nothing is left behind for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.failing import gone, mounted, result
from tests.scenarios.seeder import events, run_id, seeder
from tests.scenarios.suites import home_of_its_own

pytestmark = pytest.mark.usefixtures("cached")

MOUNTS = """
    import pathlib, subprocess
    from seeder import warden
    warden.PATIENCE = (1.0,)  # for what refuses to go
    held = pathlib.Path(environment.variables()["SEEDER_ENVIRONMENT"]).parent / "held"
    held.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", held], check=True)
"""
CANNOT_BE_UNDONE = """
    def undo():
        raise ConnectionError("the other end is gone")
    environment._environment.exit.callback(undo)
"""
FAILS = """
    first = environment.sql("db").scalar("select count(*) from notes")
    environment.sql("db").rows("delete from notes")
    environment.reset()
    assert environment.sql("db").scalar("select count(*) from notes") == first > 0
    print(environment.url("db", "psycopg").split("@")[0].split(":")[0])
    environment.snapshot("in between")
    raise ValueError("the program's own")
"""


def program(folder: Path, block: str) -> subprocess.CompletedProcess[str]:
    text = f"import seeder\nwith seeder.up('small', scenario='ready', runtime='local') as environment:{block}"
    return subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_what_could_not_be_removed_is_raised(project, tmp_path, monkeypatch):
    with mounted(tmp_path, "-t", "tmpfs", "tmpfs"):  # is it allowed here at all?
        pass
    home = home_of_its_own(tmp_path, monkeypatch)  # what is left here, seeders of other tests would try to remove
    folder = project("small")
    done = program(folder, MOUNTS)
    try:
        assert done.returncode == 1
        assert f"seeder.errors.LeftOver: {run_id(folder)}: could not be removed: " in done.stderr
    finally:
        (held,) = home.glob("state/runs/.*.gone/held")
        subprocess.run(["umount", "--lazy", held], check=True)
    assert seeder("gc", cwd=folder).code == 0


def test_everything_is_removed_when_something_cannot_be_undone(project, home):
    folder = project("small")
    done = program(folder, CANNOT_BE_UNDONE)
    assert "ConnectionError: the other end is gone" in done.stderr
    assert (result(folder)["code"], result(folder)["left"]) == (123, [])
    gone(folder, home)


def test_a_program_has_an_environment_and_its_failure_after_a_bundle_a_bundle_of_its_own(project):
    folder = project("small")
    done = program(folder, FAILS)
    assert done.stdout == "postgresql+psycopg\n", done.stderr
    assert "ValueError: the program's own" in done.stderr
    first, second = (folder / ".seeder/bundles" / name for name in (run_id(folder), f"{run_id(folder)}-2"))
    assert [json.loads((one / "bundle.json").read_text())["cause"] for one in (first, second)] == ["in between", "the program's own"]
    ended = result(folder)
    assert (ended["code"], ended["ended_by"], ended["bundle"]) == (1, "command", str(second))
    assert [event["failure"] for event in events(folder) if event["event"] == "failed"] == ["command"]
    assert seeder("snapshot", "verify", cwd=folder).code == 0


@pytest.mark.parametrize(
    ("ends", "code", "ended_by"),
    [("raise KeyboardInterrupt", 130, "signal"), ("raise SystemExit(3)", 3, "command"), ("raise SystemExit", 0, "success")],
)
def test_a_program_s_end_is_recorded_as_python_ends_then(project, ends, code, ended_by):
    folder = bare(project("small"))
    done = program(folder, f"\n    {ends}")
    assert (done.returncode if done.returncode >= 0 else 128 - done.returncode) == code, done.stderr
    assert (result(folder)["code"], result(folder)["ended_by"]) == (code, ended_by)
