"""One shop that eight runs share at once, some of which are killed in each of their steps: nothing meets, nothing is made twice, and
nothing stays but what nobody can know of, which is told."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from seeder.steps import ledger
from seeder.wait import READY, not_yet, wait_for
from tests.scenarios.failing import proper
from tests.scenarios.seeder import SEEDER, Said, seeder, started, until

ROOT = Path(__file__).parents[2]
SCENARIO = "shared-shop"
STEPS = tuple(yaml.safe_load((ROOT / f"testdata/scenarios/{SCENARIO}.yaml").read_text())["steps"])
TIMES = int(os.environ.get("SEEDER_TEST_ATTACHED", "1"))  # how often runs are killed in each step
AT_ONCE = 8
NEITHER = "orders.subscribe"  # has neither key nor find
Parts = dict[str, dict[str, tuple[int, str]]]


class Shop:
    """Somebody else's, in a home of their own; `home` is ours."""

    def __init__(self, home: Path, runtime: str) -> None:
        self._runtime = runtime
        self._theirs, self.home = {"SEEDER_HOME": str(home / "theirs")}, home / "mine"
        self.told: dict[str, str] = {}

    def asked(self, *words: str) -> Said:
        return seeder(*words, cwd=ROOT, timeout=600, **self._theirs)

    def up(self) -> None:
        proper(self.asked("up", "shop", "--scenario", "checkout-ready", "--runtime", self._runtime, "-q"), 0)
        variables = json.loads(self.asked("env", "--format", "json").out)["variables"]
        self.told = {name: value for name, value in variables.items() if name.endswith("_URL")}

    def down(self) -> None:
        proper(self.asked("down"), 0)

    def parts(self) -> Parts:
        """What its stores hold. Numbers that their sequences gave are used up for good."""
        stores = json.loads(self.asked("digest", "--json").out)["stores"]
        held = {name: one["parts"] for name, one in stores.items()}
        return {name: {part: what for part, what in parts.items() if not part.startswith("sequence ")} for name, parts in held.items()}

    @property
    def variables(self) -> dict[str, str]:
        return {**self.told, "SEEDER_HOME": str(self.home)}

    def attached(self, *words: str) -> Said:
        return seeder(*words, cwd=ROOT, timeout=600, **self.variables)


class Run:
    """One run that is attached, in the background."""

    def __init__(self, shop: Shop, log: Path, command: str) -> None:
        words = ["run", "shop", "--scenario", SCENARIO, "--target", "shared", "--", "sh", "-c", command]
        self._log = log
        with log.open("w") as out:
            environment = {**os.environ, **shop.variables}
            self.child = subprocess.Popen([*SEEDER, *words], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def id(self) -> str:
        return self.said.partition("seeder: run ")[2].partition(":")[0]

    def reached(self, step: str) -> bool:
        """Whether the step was begun; that it had an end already is told by who looks into the ledger."""
        journal = ROOT / ".seeder/runs" / self.id / "events.jsonl"
        with contextlib.suppress(FileNotFoundError):
            return bool(self.id) and f'"subject": "{step}", "state": "making"' in journal.read_text()
        return False


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def shop(home: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop(home / request.param, request.param)
    made.up()
    try:
        yield made
    finally:
        made.down()


def test_runs_that_share_a_shop_do_not_meet_and_leave_nothing(shop: Shop, tmp_path: Path) -> None:
    before, gate = shop.parts(), tmp_path / "all are there"
    wait = f'while [ ! -e "{gate}" ]; do sleep 0.1; done'
    runs = [Run(shop, tmp_path / f"{number}.log", f"echo ready; {wait}; echo $SEEDER_OUTPUT_ORDER_ID") for number in range(AT_ONCE)]
    until("all are there", lambda: all("\nready\n" in run.said or run.child.poll() for run in runs), within=300)
    rows = "select count(*), count(distinct split_part(email, '-buyer', 1)) from customers where email like 'sd-%'"
    assert shop.asked("sql", "customers-db", "-c", rows).out.split() == [str(2 * AT_ONCE), str(AT_ONCE)]
    gate.touch()
    assert [run.child.wait(300) for run in runs] == [0] * AT_ONCE, [run.said for run in runs if run.child.returncode]
    orders = [run.said.partition("\nready\n")[2].split()[0] for run in runs]
    assert len(set(orders)) == AT_ONCE
    assert shop.parts() == before


@pytest.mark.parametrize("time", range(TIMES))
def test_runs_that_are_killed_in_any_of_their_steps_leave_nothing(shop: Shop, tmp_path: Path, time: int) -> None:
    before, unknown = shop.parts(), list[str]()
    for steps in (STEPS[: AT_ONCE - 2], STEPS[AT_ONCE - 2 :]):
        runs = {step: Run(shop, tmp_path / f"{time}-{step}.log", "sleep 60") for step in steps}
        others = [Run(shop, tmp_path / f"{time}-{steps[0]}-{number}.log", "true") for number in range(AT_ONCE - len(steps))]
        with ThreadPoolExecutor(len(runs)) as pool:
            list(pool.map(_killed_in, runs, runs.values()))
        assert [run.child.wait(300) for run in others] == [0] * len(others), [run.said for run in others]
        unknown += _swept(shop, list(runs.values()))
    assert all(NEITHER in one and "whether it was made is unknown" in one for one in unknown), unknown
    _forgotten(shop, unknown)
    assert shop.parts() == before


GOLD = """
scenario: gold
version: "1.0.0"
stack: shop
data: [shop-reference, fraud-detected]
steps:
  other: {use: customers.create}
"""


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """A project of the shop whose golden data is rows alone."""
    manifest = (
        (ROOT / "manifest.yaml").read_text().replace("[stacks/", f"[{ROOT}/stacks/").replace("path: testdata/", f"path: {ROOT}/testdata/")
    )
    data = shutil.copytree(
        ROOT / "testdata/golden/fraud-detected", tmp_path / "gold", ignore=shutil.ignore_patterns("orders", "SHA256SUMS")
    )
    (tmp_path / "manifest.yaml").write_text(manifest.replace(f"{ROOT}/testdata/golden/fraud-detected", str(data)))
    (tmp_path / "testdata/scenarios").mkdir(parents=True)
    (tmp_path / "testdata/scenarios/gold.yaml").write_text(GOLD)
    return tmp_path


def test_golden_rows_of_several_runs_stand_beside_each_other_and_go(shop: Shop, gold: Path) -> None:
    """A customer and two orders each, under keys of their own that lead across stores; one of the runs is killed."""
    before = shop.parts()
    words = ("--scenario", "gold", "--target", "shared", "-q")
    with ThreadPoolExecutor(3) as pool:
        ups = list(pool.map(lambda _: seeder("up", "shop", *words, cwd=gold, timeout=600, **shop.variables), range(3)))
    assert [up.code for up in ups] == [0] * 3, [up.err for up in ups]
    mine = "select id from customers where email like 'sd-%morgan.sample@example.com'"
    customers = set(shop.asked("sql", "customers-db", "-c", mine).out.split())
    assert len(customers) == 3
    orders = "select customer_id, count(*) from orders where id >= 50000000 group by 1"
    assert {tuple(line.split()) for line in shop.asked("sql", "orders-db", "-c", orders).out.splitlines()} == {
        (one, "2") for one in customers
    }
    with started("run", "shop", *words, "--", "sleep", "60", cwd=gold, **shop.variables) as killed:
        until("its rows are there", lambda: len(shop.asked("sql", "customers-db", "-c", mine).out.split()) == 4, within=120)
        killed.kill()
        killed.wait()
    until("they are gone", lambda: len(shop.asked("sql", "customers-db", "-c", mine).out.split()) == 3, within=60)
    for run in json.loads(shop.attached("ls", "--json").out):
        proper(shop.attached("down", run["run"]), 0)
    assert shop.parts() == before


def _killed_in(step: str, run: Run) -> None:
    begun = lambda: READY if run.reached(step) or run.child.poll() is not None else not_yet("not so yet")  # noqa: E731
    wait_for(f"step {step}", begun, within=120, first=0.005, longest=0.005)
    run.child.send_signal(signal.SIGKILL)
    assert run.child.wait() == -signal.SIGKILL, run.said


def _swept(shop: Shop, runs: list[Run]) -> list[str]:
    """What `gc` could not take back of the runs, as it tells it."""
    said = shop.attached("gc", "--json")
    answer = {one["run"]: one["left"] for one in json.loads(said.out.partition("\n{")[0] if said.code else said.out)}
    left = [what for each in answer.values() for what in each]
    assert bool(left) == bool(said.code), said
    for run in runs:
        folder = shop.home / "state/runs" / run.id
        states = {one.id: one.state for one in ledger.read(folder)}
        assert set(states.values()) <= {"undone", "failed", "begun", "unknown"}, (run.id, states)
    return left


def _forgotten(shop: Shop, unknown: list[str]) -> None:
    """What only its owner can find out: whether there is a subscription of a customer who is gone. The runs are given up then."""
    if unknown:
        shop.asked(
            "sql", "orders-db", "-c", "delete from subscriptions where customer_id > (select coalesce(max(customer_id), 0) from orders)"
        )
    for run in json.loads(shop.attached("ls", "--json").out):
        shop.attached("down", "--force", run["run"])
