"""Several runs of one checkout at the same time do not meet."""

import os
from concurrent.futures import ThreadPoolExecutor

from tests.scenarios.seeder import leftovers, seeder

AT_ONCE = int(os.environ.get("SEEDER_TEST_PARALLEL", "3"))


def test_runs_of_one_checkout_do_not_meet(project, home, runtime):
    folder = project("small")
    command = ["sh", "-c", 'test "$(cat mine 2>/dev/null)" = "" && env | grep ^NOTES_DATABASE']

    def one(_):
        return seeder("run", "small", "--scenario", "ready", "--runtime", runtime, "--", *command, cwd=folder, timeout=600)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(one, range(AT_ONCE)))
    assert [s.code for s in said] == [0] * AT_ONCE, [s.err for s in said]
    assert len({s.out for s in said}) == AT_ONCE
    runs = [path.name for path in (folder / ".seeder" / "runs").iterdir()]
    assert [leftovers(run, home) for run in runs] == [[]] * AT_ONCE
