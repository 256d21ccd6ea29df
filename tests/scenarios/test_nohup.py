"""A signal that whoever started seeder ignores does not end the run."""

import signal
import subprocess

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.failing import WORDS, gone, result
from tests.scenarios.seeder import SEEDER, reached, until

pytestmark = pytest.mark.usefixtures("cached")


def test_nohup_is_respected(project, home):
    folder = bare(project("small"))
    command = ["nohup", *SEEDER, *WORDS, "local", "--", "sh", "-c", "while test ! -e go; do sleep 0.1; done"]
    with (folder / "seeder.log").open("w") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        for stage in ("start", "command"):
            until(stage, lambda stage=stage: reached(folder, stage) or child.poll() is not None)
            child.send_signal(signal.SIGHUP)
        (folder / "go").touch()
        assert child.wait(60) == 0, (folder / "seeder.log").read_text()
    finally:
        child.kill()
        child.wait()
    assert result(folder)["ended_by"] == "success"
    gone(folder, home)
