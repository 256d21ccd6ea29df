"""A run that cannot be watched over is not a success, and leaves nothing."""

import subprocess
import sys

from tests.scenarios.bare import bare
from tests.scenarios.failing import WORDS, gone, result

NO_INTERPRETER = "import runpy, sys\nsys.executable = '/nowhere/python'\nrunpy.run_module('seeder', run_name='__main__', alter_sys=True)"


def test_a_warden_that_cannot_start_fails_the_run(project, home):
    folder = bare(project("small"))
    words = [sys.executable, "-c", NO_INTERPRETER, *WORDS, "local", "--", "true"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 123, done.stderr
    assert "/nowhere/python is not there" in done.stderr
    assert "Traceback" not in done.stderr
    assert (result(folder)["code"], result(folder)["ended_by"]) == (123, "environment")
    gone(folder, home)
