"""A sweep ends what belongs to the run, all of it, and nothing else."""

import os
import subprocess
import sys

from tests.scenarios.seeder import leftovers, run_id, seeder, started, until

INIT = "#!/bin/bash\ntouch {mark}\nexec sleep 600\n"


def test_an_init_script_that_hangs_goes_with_a_killed_run(project, home, tmp_path):
    folder, mark = project("small"), tmp_path / "init-runs"
    (folder / "init").mkdir()
    (folder / "init" / "10-slow.sh").write_text(INIT.format(mark=mark))
    file = folder / "compose.yaml"
    file.write_text(file.read_text().replace("volumes: [db-data", 'volumes: ["./init:/docker-entrypoint-initdb.d:ro", db-data'))
    with started("run", "small", "--runtime", "local", "--", "true", cwd=folder) as child:
        until("the init script runs", lambda: mark.exists() or child.poll() is not None)
        assert mark.exists(), (folder / "seeder.log").read_text()
        run = run_id(folder)
        assert any("sleep 600" in one for one in leftovers(run, home))
        child.kill()
        child.wait()
        until("nothing is left", lambda: not leftovers(run, home), within=10)


def test_what_a_shell_that_took_its_variables_starts_is_not_the_environments(project):
    folder = project("small")
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
