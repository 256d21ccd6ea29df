"""All scenarios of the example shop on each runtime, twice: green, the second time from the sets of the first, with equal outputs
but for what services make up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.seeder import leftovers, seeder
from tests.scenarios.suites import home_of_its_own

ROOT = Path(__file__).parent.parent.parent
WANTED = {
    "customer-onboarding", "order-to-cash", "fulfilment", "refund", "subscription-renewal", "payment-fails-then-succeeds", "fraud-detected",
    "multi-currency-invoice",
}  # fmt: skip
MADE_UP = {"mandate_id", "product_id", "shipment_id", "tracking"}  # ids that are drawn at random: a state that was made anew has others
ACTED = {"mandate_id", "shipment_id", "tracking"}  # of what is acted, and so made anew each time


def run(home: Path, runtime: str) -> dict[str, dict[str, Any]]:
    """Every scenario's result."""
    said = seeder("scenario", "run", "--runtime", runtime, "--json", cwd=ROOT, timeout=3600, SEEDER_CACHE="on")
    assert said.code == 0, said.err
    results = {one["scenario"]: one for one in json.loads(said.out)}
    assert results.keys() >= WANTED
    assert [one for result in results.values() for one in leftovers(result["run"], home)] == []
    return results


def made(result: dict[str, Any]) -> list[str]:
    """The steps of the state that the run made itself."""
    journal = (ROOT / ".seeder/runs" / result["run"] / "events.jsonl").read_text().splitlines()
    events = (json.loads(line) for line in journal)
    return [one["subject"] for one in events if one["event"] == "progress" and (one["stage"], one["state"]) == ("load", "made")]


def outputs(results: dict[str, dict[str, Any]], without: set[str]) -> dict[str, dict[str, Any]]:
    told = {name: result.get("outputs", {}) for name, result in results.items()}
    return {name: {key: value for key, value in one.items() if key not in without} for name, one in told.items()}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The outputs on each runtime that was tried."""
    return {}


@pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_every_scenario_is_green_and_the_same_each_time(tmp_path, monkeypatch, told, runtime):
    home = home_of_its_own(tmp_path, monkeypatch)
    first, second = run(home, runtime), run(home, runtime)
    assert {name: steps for name, result in second.items() if (steps := made(result))} == {}
    assert outputs(first, ACTED) == outputs(second, ACTED)
    assert not any(step.startswith("buyer/") for step in made(first["order-confirmed"]))  # begins at the set of buyer-ready
    told[runtime] = outputs(first, MADE_UP)


def test_outputs_are_the_same_on_both_runtimes(told):
    if len(told) < 2:
        pytest.skip(f"one process has to try both runtimes; here: {', '.join(told) or 'none'}")
    assert told["local"] == told["docker"]
