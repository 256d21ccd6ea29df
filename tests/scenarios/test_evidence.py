"""Evidence at the edge: of what was left behind after a good command, and of a failure that there is no room to write down."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.failing import evidence, gone, mounted, proper, result, run
from tests.scenarios.seeder import run_id, seeder

pytestmark = pytest.mark.usefixtures("cached")

# A filesystem that the command mounts in the run's folder, which nobody can remove as long as it is there.
HOLDS = 'held="$(dirname "$SEEDER_ENVIRONMENT")/held"; mkdir "$held" && mount -t tmpfs tmpfs "$held"'

# What a service wrote is nothing that can be read.
SPOILS = 'log="$(dirname "$SEEDER_ENVIRONMENT")/logs/web.log" && rm "$log" && mkdir "$log"'


@pytest.mark.acceptance  # waits for what does not end
def test_what_is_left_after_a_good_command_ends_the_run_with_a_bundle_that_names_it(project, tmp_path):
    with mounted(tmp_path, "-t", "tmpfs", "tmpfs"):  # is it allowed here at all?
        pass
    home = tmp_path / "home"  # of its own: what is left here, seeders of other tests would try to remove
    folder = bare(project("small"))
    said = run(folder, "local", "sh", "-c", HOLDS, SEEDER_HOME=str(home))
    try:
        proper(said, 121, "could not be removed: ", "-> run `seeder gc`", "evidence: ")
        ended = result(folder)
        assert ended["ended_by"] == "leftover"
        assert [one.removeprefix("folder ").partition(": ")[0] for one in ended["left"]] == [str(Path(_held(folder)).parent)]
        bundle = evidence(folder)
        index = json.loads((bundle / "bundle.json").read_text())
        assert f"could not be removed: {ended['left'][0]}" in index["cause"]
        assert json.loads((bundle / "result.json").read_text())["left"] == ended["left"]
        assert ended["bundle"] == str(bundle)
    finally:
        subprocess.run(["umount", "--lazy", _held(folder)], check=True)
    proper(seeder("gc", cwd=folder, SEEDER_HOME=str(home)), 0)
    gone(folder, home)


def test_a_log_that_cannot_be_had_costs_no_other(project):
    folder = project("small")
    said = run(folder, "local", "sh", "-c", f"{SPOILS} && exit 7")
    proper(said, 7, "logs/web: is missing from the bundle: ")
    bundle = evidence(folder)
    assert (bundle / "logs" / "db.log").exists()
    assert json.loads((bundle / "bundle.json").read_text())["missing"].keys() == {"logs/web"}


def _held(folder):
    """Where the command's filesystem is by now."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return next(mount for mount in mounts if run_id(folder) in mount)


def test_of_a_bundle_that_does_not_fit_nothing_stays_and_the_failure_is_told(project, home):
    folder = bare(project("small"))
    bundles = folder / ".seeder" / "bundles"
    bundles.mkdir(parents=True)
    with mounted(bundles, "-t", "tmpfs", "-o", "size=8k", "tmpfs"):
        said = run(folder, "local", "sh", "-c", "exit 7")
        proper(said, 7, "evidence: could not be kept: ", "no space left on device", "command (exit 7)")
        assert list(bundles.iterdir()) == []
    ended = result(folder)
    assert (ended["ended_by"], ended["message"], ended["bundle"]) == ("command", "the command ended with code 7", None)
    gone(folder, home)
