"""The pytest plugin on a suite of its users: each test finds the seeded state, whatever the tests before it did."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/data/small"

SUITE = """
import pytest

def bodies(environment):
    return [body for (body,) in environment.sql("db").rows("select body from notes order by id")]

BEFORE = []

@pytest.mark.parametrize("time", range(3))
def test_a_write_is_gone_in_the_next_test(environment, time):
    BEFORE.append((bodies(environment), environment.http("web").get("/health").status_code))
    assert BEFORE[-1] == BEFORE[0]
    insert = "insert into notes (kind, body, written_at) select min(kind), 'mine' || :time, now() from notes"
    environment.sql("db").rows(insert, time=str(time))
    assert f"mine{time}" in bodies(environment)

def test_it_waits_for_what_is_to_come(environment):
    answers = iter([None, None, "there"])
    assert environment.eventually(lambda: next(answers)) == "there"

def test_unknown_names_are_told(environment):
    with pytest.raises(Exception, match="db"):
        environment.sql("dbb")
"""


def suite(folder: Path, text: str = SUITE, **files: str) -> Path:
    made: Path = shutil.copytree(SMALL, folder / "small")
    (made / "test_suite.py").write_text(text)
    for name, content in files.items():
        (made / name).write_text(content)
    return made


def run(folder: Path, *words: str, runtime: str = "local") -> subprocess.CompletedProcess[str]:
    asked = ["--seeder-scenario", "ready", "--seeder-runtime", runtime]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked, *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_every_test_begins_at_the_seeded_state(tmp_path: Path, runtime: str) -> None:
    done = run(suite(tmp_path), runtime=runtime)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert "taken back 4 times" in done.stdout


def test_workers_have_environments_of_their_own(tmp_path: Path) -> None:
    folder = suite(tmp_path)
    done = run(folder, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(folder.glob(".seeder/runs/*"))) == 2


def test_a_failed_test_gets_a_bundle_that_its_report_names(tmp_path: Path) -> None:
    folder = suite(tmp_path, "def test_no(environment):\n    assert environment.sql('db').scalar('select 1') == 2\n")
    done = run(folder, "--junitxml", "junit.xml")
    assert done.returncode == 1
    (bundle,) = folder.glob(".seeder/bundles/*")
    assert str(bundle) in done.stdout
    assert str(bundle) in (folder / "junit.xml").read_text()
    assert json.loads((bundle / "bundle.json").read_text())["cause"] == "test_suite.py::test_no failed"


def test_a_stack_that_cannot_be_had_is_told_without_a_traceback_of_ours(tmp_path: Path) -> None:
    folder = suite(tmp_path)
    (folder / "migrations/0003_broken.sql").write_text("create tabel broken ();\n")
    done = run(folder, "-k", "waits")
    assert done.returncode == 1
    assert "0003_broken" in done.stdout


def test_python_programs_have_environments_too(tmp_path: Path) -> None:
    folder = suite(tmp_path)
    program = (
        "import seeder\n"
        "with seeder.up('small', scenario='ready', runtime='local') as environment:\n"
        "    first = environment.sql('db').scalar('select count(*) from notes')\n"
        "    environment.sql('db').rows('delete from notes')\n"
        "    environment.reset()\n"
        "    assert environment.sql('db').scalar('select count(*) from notes') == first > 0\n"
        "    print(environment.url('db', 'psycopg').split('@')[0].split(':')[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "postgresql+psycopg\n"


@pytest.mark.parametrize("scope", ["module", "never"])
def test_a_state_may_be_shared_by_more_tests(tmp_path: Path, scope: str) -> None:
    text = (
        "def test_one(environment):\n    environment.sql('db').rows('delete from notes')\n"
        "def test_two(environment):\n    assert environment.sql('db').scalar('select count(*) from notes') == 0\n"
    )
    done = run(suite(tmp_path, text), "--seeder-reset", scope)
    assert done.returncode == 0, done.stdout
