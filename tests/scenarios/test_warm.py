"""`--seeder-reuse`: an environment goes from one session of tests to the next as long as it is what would be made anew."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest

from seeder import decide
from seeder.definition.request import Request, find_project, resolve
from seeder.registry import traits
from seeder.reuse import chain
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import change
from tests.scenarios.seeder import leftovers, seeder
from tests.scenarios.suites import home_of_its_own, run, suite

pytestmark = pytest.mark.usefixtures("cached")

WRITES = """
def test_it_is_seeded(environment):
    assert environment.sql("db").scalar("select count(*) from notes") == 2
    assert environment.http("web").get("/health").status_code == 200
    environment.sql("db").rows("delete from notes")
"""
# A service dies once the file is there.
STOPS = """
def test_stops(environment):
    import pathlib
    if pathlib.Path("stop").exists():
        environment._environment.deployment.stop("web")
"""
CHANGES = {
    "testdata/golden/notes/db/notes.csv": ("second", "changed"),
    "compose.yaml": ("correct-horse-battery", "another-password"),
    "web/web.py": ('"ok"', '"fine"'),
    "migrations/0002_pinned.sql": ("default false", "default true"),
}
KEPT = re.compile(r"^kept until .*: `seeder env --run (\w+)`, `seeder down \1`$", re.MULTILINE)


@pytest.fixture(autouse=True)
def home(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environments that stay belong to one test alone."""
    return home_of_its_own(tmp_path, monkeypatch)


def alive(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("state/runs/[!.]*"))


def reused(folder: Path, *words: str, runtime: str = "local") -> list[str]:
    """A session of tests; the environments that it left."""
    done = run(folder, "--seeder-reuse", *words, runtime=runtime)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(KEPT.findall(done.stdout))


def down(folder: Path, home: Path, *names: str) -> None:
    for name in names:
        assert seeder("down", name, cwd=folder).code == 0
        assert not leftovers(name, home)


def spoil(folder: Path, file: str) -> None:
    """Another definition of the same environment."""
    old, new = CHANGES[file]
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def made_of(folder: Path) -> str:
    """By what a session knows an environment that it would make anew; secrets are compared beside it."""
    request = Request(scenario="ready", runtime="local")
    return chain.environment(decide.plan(resolve(find_project(folder), request, traits())))


@product("runtime", RUNTIMES, some=[["docker"]])
def test_the_next_session_takes_it_up_at_its_seeded_state(tmp_path: Path, runtime: str, home: Path) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder, runtime=runtime)
    assert reused(folder, runtime=runtime) == [first]
    assert alive(home) == [first]
    down(folder, home, first)


@pytest.mark.acceptance  # three sessions of tests
def test_sessions_that_ask_for_the_same_scenario_and_inputs_share_it_and_others_do_not_touch_it(tmp_path: Path, home: Path) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder)
    assert reused(folder) == [first]
    assert run(folder).returncode == 0  # without the option
    assert alive(home) == [first]
    change(folder, "test_suite.py", "def test", "import pytest\n\n@pytest.mark.scenario('ready', note=2)\ndef test")
    (second,) = reused(folder)
    assert alive(home) == sorted([first, second])
    down(folder, home, first, second)


@pytest.mark.parametrize("file", sorted(CHANGES.keys() - {"compose.yaml"}))  # what changes there is a secret
def test_it_is_known_by_all_that_its_definition_says(tmp_path: Path, file: str) -> None:
    folder = suite(tmp_path, WRITES)
    before = made_of(folder)
    assert before
    assert made_of(folder) == before
    spoil(folder, file)
    assert made_of(folder) not in ("", before)


@product("file", tuple(CHANGES), some=[["compose.yaml"]])
@pytest.mark.acceptance  # what makes another is seen above without an environment
def test_another_takes_its_place_when_the_definition_changed_or_a_service_has_died(tmp_path: Path, home: Path, file: str) -> None:
    folder = suite(tmp_path, WRITES + STOPS)
    (first,) = reused(folder)
    spoil(folder, file)
    (folder / "stop").touch()
    (second,) = reused(folder)
    assert second != first
    assert alive(home) == [second]
    assert not leftovers(first, home)
    (third,) = reused(folder)
    assert third != second
    assert alive(home) == [third]
    down(folder, home, third)


def test_one_that_other_seeders_would_take_for_expired_is_not_taken_up(tmp_path: Path, home: Path) -> None:
    """They go by its labels, which say for good what was right when it was begun."""
    folder = suite(tmp_path, "def test_it(environment):\n    pass\n")
    (first,) = reused(folder)
    journal = folder / ".seeder" / "runs" / first / "events.jsonl"
    line, _, others = journal.read_text().partition("\n")
    begun = datetime.datetime.fromisoformat(json.loads(line)["at"]) - datetime.timedelta(hours=25)
    journal.write_text(f"{json.dumps({**json.loads(line), 'at': begun.isoformat()})}\n{others}")
    (second,) = reused(folder)
    assert second != first
    assert alive(home) == [second]
    down(folder, home, second)


@pytest.mark.acceptance  # test_pytest_plugin has workers with environments of their own
def test_each_worker_has_its_own(tmp_path: Path, home: Path) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize('time', range(4))\ndef test_it(environment, time):\n    pass\n"
    folder = suite(tmp_path, text)
    first = reused(folder, "-n", "2")
    assert len(first) == 2
    assert reused(folder, "-n", "2") == first
    down(folder, home, *first)
