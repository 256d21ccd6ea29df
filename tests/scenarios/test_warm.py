"""`--seeder-reuse`: an environment goes from one session of tests to the next as long as it is what would be made anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.scenarios.failing import change
from tests.scenarios.seeder import leftovers, seeder
from tests.scenarios.suites import run, suite

pytestmark = pytest.mark.usefixtures("cached")

WRITES = """
def test_it_is_seeded(environment):
    assert environment.sql("db").scalar("select count(*) from notes") == 2
    assert environment.http("web").get("/health").status_code == 200
    environment.sql("db").rows("delete from notes")
"""
KEPT = re.compile(r"^kept until .*: `seeder env --run (\w+)`, `seeder down \1`$", re.MULTILINE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environments that stay belong to one test alone."""
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


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


def test_the_next_session_takes_it_up_at_its_seeded_state(tmp_path: Path, runtime: str, home: Path) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder, runtime=runtime)
    assert reused(folder, runtime=runtime) == [first]
    assert alive(home) == [first]
    down(folder, home, first)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("testdata/golden/notes/db/notes.csv", "second", "changed"),
        ("compose.yaml", "correct-horse-battery", "another-password"),
        ("web/web.py", '"ok"', '"fine"'),
        ("migrations/0002_pinned.sql", "default false", "default true"),
    ],
)
def test_another_takes_its_place_when_the_definition_changed(tmp_path: Path, home: Path, file: str, old: str, new: str) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    (second,) = reused(folder)
    assert second != first
    assert alive(home) == [second]
    assert not leftovers(first, home)
    down(folder, home, second)


def test_one_whose_service_has_died_is_replaced(tmp_path: Path, home: Path) -> None:
    text = WRITES + "\n\ndef test_last(environment):\n    environment._environment.deployment.stop('web')\n"
    folder = suite(tmp_path, text)
    (first,) = reused(folder)
    (second,) = reused(folder)
    assert second != first
    assert alive(home) == [second]
    down(folder, home, second)


def test_each_worker_has_its_own(tmp_path: Path, home: Path) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize('time', range(4))\ndef test_it(environment, time):\n    pass\n"
    folder = suite(tmp_path, text)
    first = reused(folder, "-n", "2")
    assert len(first) == 2
    assert reused(folder, "-n", "2") == first
    down(folder, home, *first)


def test_it_is_of_one_scenario_with_its_inputs(tmp_path: Path, home: Path) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder)
    change(folder, "test_suite.py", "def test", "import pytest\n\n@pytest.mark.scenario('ready', note=2)\ndef test")
    (second,) = reused(folder)
    assert alive(home) == sorted([first, second])
    down(folder, home, first, second)


def test_without_the_option_nothing_of_it_is_touched(tmp_path: Path, home: Path) -> None:
    folder = suite(tmp_path, WRITES)
    (first,) = reused(folder)
    assert run(folder).returncode == 0
    assert alive(home) == [first]
    down(folder, home, first)
