"""A sweep ends what belongs to the run, all of it, and nothing else."""

import os
import subprocess
import sys

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.seeder import run_id, seeder, until

pytestmark = pytest.mark.usefixtures("cached")


def test_what_a_shell_that_took_its_variables_starts_is_not_the_environments(project):
    folder = bare(project("small"))
    assert seeder("up", "small", "--runtime", "local", cwd=folder).code == 0
    run = run_id(folder)
    script = f'eval "$({sys.executable} -m seeder env --run {run} --format shell)"; echo "$SEEDER_RUN" > taken; exec sleep 60'
    shell = subprocess.Popen(["sh", "-c", script], cwd=folder, env=dict(os.environ))
    try:
        until("the variables are taken", (folder / "taken").exists)
        assert seeder("down", "--force", run, cwd=folder).code == 0
        assert (folder / "taken").read_text().strip() == run
        assert shell.poll() is None
    finally:
        shell.kill()
        shell.wait()
