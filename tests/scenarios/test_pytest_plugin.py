"""The pytest plugin on a suite of its users: each test finds the seeded state, whatever the tests before it did."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.failing import mounted
from tests.scenarios.seeder import seeder
from tests.scenarios.suites import run, suite

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


def test_every_test_begins_at_the_seeded_state(tmp_path: Path, runtime: str) -> None:
    done = run(suite(tmp_path, SUITE), runtime=runtime)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert "taken back 4 times" in done.stdout


def test_workers_have_environments_of_their_own(tmp_path: Path) -> None:
    folder = suite(tmp_path, SUITE)
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


def test_a_stack_that_cannot_be_had_is_tried_once_and_told_without_a_traceback_of_ours(tmp_path: Path) -> None:
    folder = suite(tmp_path, SUITE)
    (folder / "migrations/0003_broken.sql").write_text("create tabel broken ();\n")
    done = run(folder)
    assert done.returncode == 1
    assert done.stdout.count("0003_broken") >= 5
    assert "5 errors" in done.stdout
    assert "seeder/session.py" not in done.stdout
    assert len(list(folder.glob(".seeder/runs/*"))) == 1


def test_what_is_done_outside_of_units_is_taken_back_for_the_first_that_asks(tmp_path: Path) -> None:
    text = (
        "def test_one(seeder_environment):\n    seeder_environment.sql('db').rows('delete from notes')\n"
        "def test_two(environment):\n    assert environment.sql('db').scalar('select count(*) from notes') == 2\n"
    )
    done = run(suite(tmp_path, text))
    assert done.returncode == 0, done.stdout


def test_the_sessions_environment_says_that_it_has_ended(tmp_path: Path) -> None:
    text = (
        "import pytest\n\n@pytest.mark.scenario('ready', note=2)\n"
        "def test_both(seeder_environment, environment):\n"
        "    assert environment.sql('db').scalar('select 1') == 1\n"
        "    with pytest.raises(Exception, match='this environment has ended'):\n"
        "        seeder_environment.sql('db')\n"
    )
    done = run(suite(tmp_path, text))
    assert done.returncode == 0, done.stdout


def test_only_an_environment_in_which_a_test_failed_stays_and_the_summary_says_how_to_reach_it(tmp_path: Path) -> None:
    text = (
        "import pytest\n\ndef test_no(environment):\n    assert environment.sql('db').scalar('select 1') == 2\n"
        "@pytest.mark.scenario('ready', note=2)\ndef test_yes(environment):\n    pass\n"
    )
    folder = suite(tmp_path, text)
    for words in ([], ["-n", "1"]):
        done = run(folder, "--seeder-keep-failed", *words)
        assert done.returncode == 1, done.stdout
        (kept,) = re.findall(r"^kept until .*: `seeder env --run (\w+)`, `seeder down \1`$", done.stdout, re.MULTILINE)
        assert f"SEEDER_RUN={kept}" in seeder("env", "--run", kept, cwd=folder).out
        assert seeder("down", kept, cwd=folder).code == 0
        bundles = sorted(path.name for path in folder.glob(f".seeder/bundles/{kept}*"))
        assert bundles == [kept, f"{kept}-2"]  # when the test failed, and at the end
        assert seeder("snapshot", "verify", cwd=folder).code == 0


def test_what_could_not_be_removed_is_told_and_fails_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "tmpfs"):  # is it allowed here at all?
        pass
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))  # what is left here, seeders of other tests would try to remove
    text = (
        "import os, pathlib, subprocess\n\ndef test_mounts(environment):\n"
        "    held = pathlib.Path(environment.variables()['SEEDER_ENVIRONMENT']).parent / 'held'\n    held.mkdir()\n"
        "    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', held], check=True)\n"
    )
    folder = suite(tmp_path, text)
    done = run(folder)
    try:
        assert done.returncode == 1
        assert "1 passed" in done.stdout
        assert "could not be removed: " in done.stdout
    finally:
        (held,) = (tmp_path / "home").glob("state/runs/.*.gone/held")
        subprocess.run(["umount", "--lazy", held], check=True)
    assert seeder("gc", cwd=folder).code == 0


@pytest.mark.parametrize("words", [[], ["-n", "1"]])
def test_a_mark_that_names_no_scenario_is_told_by_its_test(tmp_path: Path, words: list[str]) -> None:
    text = "import pytest\n\n@pytest.mark.scenario\ndef test_it(environment):\n    pass\n\ndef test_other():\n    pass\n"
    done = run(suite(tmp_path, text), *words)
    assert "test_suite.py::test_it: its mark names no scenario" in done.stdout
    assert "1 passed, 1 error" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_scope_of_resets_is_refused(tmp_path: Path) -> None:
    done = run(suite(tmp_path, SUITE, **{"pytest.ini": "[pytest]\nseeder_reset = modul\n"}))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "seeder_reset: 'modul' is none of function, class, module, never" in done.stderr


def test_python_programs_have_environments_too(tmp_path: Path) -> None:
    folder = suite(tmp_path, SUITE)
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
