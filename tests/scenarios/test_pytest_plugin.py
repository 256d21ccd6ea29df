"""The pytest plugin on a suite of its users: each test finds the seeded state, whatever the tests before it did."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import mounted
from tests.scenarios.seeder import seeder
from tests.scenarios.suites import home_of_its_own, run, suite, wrong

pytestmark = pytest.mark.usefixtures("cached")

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

# `environment` finds nothing of what somebody did outside of tests.
OUTSIDE = """
def test_one(seeder_environment):
    seeder_environment.sql('db').rows('delete from notes')

def test_two(environment):
    assert environment.sql('db').scalar('select count(*) from notes') == 2
"""
ENDED = """
@pytest.mark.scenario('ready', note=2)
def test_both(seeder_environment, environment):
    assert environment.sql('db').scalar('select 1') == 1
    with pytest.raises(Exception, match='this environment has ended'):
        seeder_environment.sql('db')
"""
NAMELESS = """
@pytest.mark.scenario
def test_nameless(environment):
    pass

def test_other():
    pass
"""
FAILS = """
def test_no(environment):
    assert environment.sql('db').scalar('select 1') == 2
"""
KEPT = re.compile(r"^kept until .*: `seeder env --run (\w+)`, `seeder down \1`$", re.MULTILINE)


@dataclass(frozen=True)
class Held:
    """A session of tests that is over, and its project."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def kept(self) -> list[str]:
        return KEPT.findall(self.done.stdout)


@contextmanager
def held(folder: Path, text: str, *words: str, runtime: str = "local") -> Iterator[Held]:
    """What a session keeps stays until the end of the block."""
    made = suite(folder, text)
    options = ("--seeder-keep-failed", "--junitxml", "junit.xml", *words)
    session = Held(made, run(made, *options, runtime=runtime, GITHUB_STEP_SUMMARY=str(made / "page.md")))
    try:
        yield session
    finally:
        for name in session.kept:
            assert seeder("down", name, cwd=made).code == 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, cached: None) -> Iterator[Callable[..., Held]]:
    """A session of tests on a runtime, one for all who ask."""
    with ExitStack() as undo:

        @functools.cache
        def ask(runtime: str = "local") -> Held:
            text = OUTSIDE + SUITE + FAILS + ENDED + NAMELESS
            return undo.enter_context(held(tmp_path_factory.mktemp("alone"), text, runtime=runtime))

        yield ask


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, cached: None) -> Iterator[Callable[..., Held]]:
    """A session of two workers, one for all who ask."""
    with held(tmp_path_factory.mktemp("workers"), SUITE + FAILS + NAMELESS, "-n", "2") as session:
        yield lambda: session


@pytest.fixture(params=["alone", "workers"])
def session(request: pytest.FixtureRequest) -> Held:
    made: Held = request.getfixturevalue(request.param)()
    return made


@product("runtime", RUNTIMES, some=[["local"]])
def test_every_test_begins_at_the_seeded_state(alone: Callable[..., Held], runtime: str) -> None:
    """Whatever tests before it did, and what was done outside of tests."""
    done = alone(runtime).done
    assert set(wrong(done.stdout)) == {"test_no", "test_nameless"}, done.stdout + done.stderr
    assert "1 failed, 9 passed, 1 error" in done.stdout
    assert "taken back 7 times" in done.stdout


def test_the_sessions_environment_says_that_it_has_ended(alone: Callable[..., Held]) -> None:
    done = alone().done
    assert "test_both" in (alone().folder / "junit.xml").read_text()
    assert "test_both" not in wrong(done.stdout), done.stdout


def test_workers_have_environments_of_their_own(workers: Callable[..., Held]) -> None:
    done = workers().done
    assert set(wrong(done.stdout)) == {"test_no", "test_nameless"}, done.stdout + done.stderr
    assert "1 failed, 6 passed, 1 error" in done.stdout
    assert len(list(workers().folder.glob(".seeder/runs/*"))) == 2


def test_the_page_of_a_job_gets_one_table_of_all_workers(workers: Callable[..., Held]) -> None:
    page = (workers().folder / "page.md").read_text()
    assert page.startswith("### seeder: tests\n\n| resets | median | bundles |")
    assert "`test_suite.py::test_no`" in page
    assert page.count("### seeder") == 1


def test_a_failed_test_gets_a_bundle_that_its_report_names(session: Held) -> None:
    assert session.done.returncode == 1
    bundle = next(path for path in session.folder.glob(".seeder/bundles/*") if not path.name.endswith("-2"))
    assert str(bundle) in wrong(session.done.stdout)["test_no"]
    assert str(bundle) in (session.folder / "junit.xml").read_text()
    assert json.loads((bundle / "bundle.json").read_text())["cause"] == "test_suite.py::test_no failed"


def test_only_an_environment_in_which_a_test_failed_stays_and_the_summary_says_how_to_reach_it(session: Held) -> None:
    (kept,) = session.kept
    assert len(list(session.folder.glob(".seeder/runs/*"))) == 2
    assert f"SEEDER_RUN={kept}" in seeder("env", "--run", kept, cwd=session.folder).out
    bundles = sorted(path.name for path in session.folder.glob(".seeder/bundles/*"))
    assert bundles == [kept, f"{kept}-2"]  # when the test failed, and at the end
    assert seeder("snapshot", "verify", cwd=session.folder).code == 0


def test_a_mark_that_names_no_scenario_is_told_by_its_test(session: Held) -> None:
    done = session.done
    assert "test_suite.py::test_nameless: its mark names no scenario" in wrong(done.stdout)["test_nameless"]
    assert "Traceback" not in done.stdout


def test_a_stack_that_cannot_be_had_is_tried_once_and_told_without_a_traceback_of_ours(tmp_path: Path) -> None:
    folder = suite(tmp_path, SUITE)
    (folder / "migrations/0003_broken.sql").write_text("create tabel broken ();\n")
    done = run(folder)
    assert done.returncode == 1
    assert done.stdout.count("0003_broken") >= 5
    assert "5 errors" in done.stdout
    assert "seeder/session.py" not in done.stdout
    assert len(list(folder.glob(".seeder/runs/*"))) == 1


def test_what_could_not_be_removed_is_told_and_fails_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "tmpfs"):  # is it allowed here at all?
        pass
    home = home_of_its_own(tmp_path, monkeypatch)  # what is left here, seeders of other tests would try to remove
    text = (
        "import pathlib, subprocess\nfrom seeder import warden\n\n"
        "warden.PATIENCE = (1.0,)  # for what refuses to go\n\ndef test_mounts(environment):\n"
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
        (held,) = home.glob("state/runs/.*.gone/held")
        subprocess.run(["umount", "--lazy", held], check=True)
    assert seeder("gc", cwd=folder).code == 0


def test_an_unknown_scope_of_resets_is_refused(tmp_path: Path) -> None:
    done = run(suite(tmp_path, SUITE, **{"pytest.ini": "[pytest]\nseeder_reset = modul\n"}))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "seeder_reset: 'modul' is none of function, class, module, never" in done.stderr


@product("scope", ["module", "never"], some=[["module"]])
def test_a_state_may_be_shared_by_more_tests(tmp_path: Path, scope: str) -> None:
    text = (
        "def test_one(environment):\n    environment.sql('db').rows('delete from notes')\n"
        "def test_two(environment):\n    assert environment.sql('db').scalar('select count(*) from notes') == 0\n"
    )
    done = run(suite(tmp_path, text), "--seeder-reset", scope)
    assert done.returncode == 0, done.stdout
