"""The example shop does what the README says, on every runtime and without seeder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from tests.scenarios.cases import product
from tests.scenarios.seeder import leftovers, seeder

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent.parent
DIGESTS = int(os.environ.get("SEEDER_TEST_DIGESTS", "1"))  # how often each runtime is asked
SCENARIOS = ["checkout-ready", "subscription-renewal", "multi-currency-invoice", "fraud-detected"]


def inside(home, runtime, number=0):
    """A run of the shop in which its digest is asked and then its own tests run: done once for all tests that ask."""
    kept = home / f"shop-{runtime}-{number}.json"
    with FileLock(kept.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps(_run(runtime)))
    return json.loads(kept.read_text())


def _run(runtime):
    script = f"echo $SEEDER_RUN; seeder digest --json; exec {sys.executable} -m pytest -q -p no:cacheprovider stacks/shop/tests >&2"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = ["run", "shop", "--scenario", "checkout-ready", "--runtime", runtime, "--", "sh", "-c", script]
    said = seeder(*words, cwd=ROOT, timeout=600, PATH=path, SEEDER_CACHE="on" if DIGESTS == 1 else "off")
    assert said.code == 0, said.out + said.err
    run, _, printed = said.out.partition("\n")
    result = json.loads((ROOT / ".seeder" / "runs" / run / "result.json").read_text())
    return {"run": run, "digest": json.loads(printed), "recorded": result["digest"]}


def test_the_shops_own_tests_pass_inside_an_environment(home, runtime):
    found = inside(home, runtime)
    assert found["recorded"] == found["digest"]["digest"] != ""
    assert leftovers(found["run"], home) == []


@pytest.mark.docker
def test_both_runtimes_agree_on_the_digest_each_time(home):
    digests = [inside(home, runtime, number)["digest"] for number in range(DIGESTS) for runtime in ("local", "docker")]
    assert [found for found in digests if found != digests[0]] == []


@pytest.mark.usefixtures("cached")
@product("scenario", SCENARIOS[1:], some=[["multi-currency-invoice"]])
def test_every_scenario_is_what_it_says(scenario):
    said = seeder("run", "shop", "--scenario", scenario, "--runtime", "local", "--", "true", cwd=ROOT, timeout=300)
    assert said.code == 0, said.err


@pytest.mark.docker
@pytest.mark.acceptance  # two minutes, of compose alone; `ci/acceptance compose`
def test_plain_compose_starts_it_and_the_standalone_tests_pass():
    compose = ["docker", "compose", "-f", "stacks/shop/compose.yaml", "-p", f"shop-plain-{os.getpid()}"]
    try:
        up = subprocess.run([*compose, "up", "--wait", "--build", "--quiet-pull"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert up.returncode == 0, up.stderr
        tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "standalone", "stacks/shop/tests"]
        done = subprocess.run(tests, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "passed" in done.stdout
    finally:
        subprocess.run([*compose, "down", "-v", "-t", "0"], cwd=ROOT, capture_output=True, check=True)


@pytest.mark.one_runtime
def test_a_sixth_service_needs_one_compose_entry_and_nothing_else(project, runtime):
    folder = project("small")
    file = folder / "compose.yaml"
    model = yaml.safe_load(file.read_text())
    model["services"]["greeter"] = {
        **model["services"]["web"],
        "environment": {"WEB_URL": "http://web:8000"},
        "ports": ["8000"],
        "depends_on": ["web"],
        "x-seeder": {"local": model["services"]["web"]["x-seeder"]["local"]},
    }
    file.write_text(yaml.safe_dump(model))
    ask = "import json,os,urllib.request as u; e=json.load(u.urlopen(os.environ['SEEDER_GREETER_URL']+'/environment')); print(e['WEB_URL'])"
    said = seeder("run", "small", "--runtime", runtime, "--", "python3", "-c", ask, cwd=folder)
    assert said.code == 0, said.err
    assert said.out.startswith("http://")
