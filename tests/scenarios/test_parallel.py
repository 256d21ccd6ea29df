"""Several runs of one checkout at the same time do not meet."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.scenarios.seeder import leftovers, seeder

AT_ONCE = int(os.environ.get("SEEDER_TEST_PARALLEL", "3"))
SHOP = os.environ.get("SEEDER_TEST_PROJECT") == "shop"
ROOT = Path(__file__).parent.parent.parent


def test_runs_of_one_checkout_do_not_meet(project, home, runtime):
    folder = ROOT if SHOP else project("small")
    words = ["shop", "--scenario", "checkout-ready"] if SHOP else ["small", "--scenario", "ready"]

    def one(_):
        return seeder("run", *words, "--runtime", runtime, "--", "sh", "-c", "echo $SEEDER_RUN; env | grep _URL=", cwd=folder, timeout=1200)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(one, range(AT_ONCE)))
    assert [s.code for s in said] == [0] * AT_ONCE, [s.err for s in said]
    addresses = [line for s in said for line in s.out.splitlines()[1:]]
    assert len(addresses) == len(set(addresses))
    assert [leftovers(s.out.split()[0], home) for s in said] == [[]] * AT_ONCE
