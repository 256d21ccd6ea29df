"""The example shop, after its own tests have worked in it, is saved on one runtime, comes back on the other, and on the first again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.seeder import leftovers, seeder, until

ROOT = Path(__file__).parent.parent.parent


def asked(*words: str) -> str:
    said = seeder(*words, cwd=ROOT, timeout=900)
    assert said.code == 0, said.err
    return said.out


def digest(run: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(asked("digest", "--run", run, "--json"))
    return found


def work_in(run: str) -> None:
    """Orders are placed, paid, delivered; until nothing moves any more."""
    variables = json.loads(asked("env", "--run", run, "--json"))["variables"]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "stacks/shop/tests/test_checkout.py"]
    done = subprocess.run(tests, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    until("the shop is quiet", lambda: digest(run) == digest(run))


@pytest.mark.parametrize("order", [("docker", "local", "docker"), ("local", "docker", "local")], ids=lambda order: order[0])
def test_the_shop_comes_back(home, order):
    first, *others = order
    run = json.loads(asked("up", "shop", "--scenario", "checkout-ready", "--runtime", first, "--json"))["run"]
    try:
        seeded = digest(run)
        work_in(run)
        before, bundle = digest(run), asked("snapshot", "save", run).strip()
        assert before != seeded
    finally:
        asked("down", run)
    for runtime in others:
        result = json.loads(asked("snapshot", "restore", bundle, "--runtime", runtime, "--json"))
        try:
            assert result["differing"] == []
            assert digest(result["run"]) == before
            bundle = asked("snapshot", "save", result["run"]).strip()
        finally:
            asked("down", result["run"])
        assert leftovers(result["run"], home) == []
