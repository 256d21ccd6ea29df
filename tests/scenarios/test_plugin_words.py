"""What the plugin tells: problems without the lines of seeder that found them, in the words of tests, and a table for the job's page."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios.failing import change
from tests.scenarios.suites import run, suite, wrong

pytestmark = pytest.mark.usefixtures("cached")

FIXTURES = ("environment", "seeder_database")
MARKS = {
    "unknown": "'raedy'",
    "input": "'ready', notes=2",
    "value": "'ready', note='two'",
    "picky": "'picky'",
}
MARKED = """
@pytest.mark.scenario({mark})
def test_{name}_{fixture}({fixture}):
    {fixture}('db')
"""
SUITE = "import pytest\n" + "".join(
    MARKED.format(mark=mark, name=name, fixture=fixture) for name, mark in MARKS.items() for fixture in FIXTURES
)
SUITE += """
def test_late(environment):
    environment.eventually(lambda: 1 > 2, within='200ms')

def test_broken(environment):
    environment.eventually(lambda: 1 / 0)

def test_nobody(environment):
    environment.sql('dbx')

def test_alone(seeder_database):
    assert seeder_database('db').scalar('select 1') == 1

@pytest.mark.parametrize('time', range(4))
def test_it(environment, time):
    environment.sql('db').rows('delete from notes')
    assert time != 3
"""


@dataclass(frozen=True)
class Told:
    """What a session of tests says: of each that went wrong, in all, and on the job's page."""

    wrong: dict[str, str]
    out: str
    page: str


def told(done: subprocess.CompletedProcess[str], page: Path) -> Told:
    return Told(wrong(done.stdout), done.stdout, page.read_text())


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, cached: None) -> Told:
    """One session of tests in which much goes wrong."""
    folder = suite(tmp_path_factory.mktemp("words"), SUITE)
    picky = (folder / "testdata/scenarios/ready.yaml").read_text().replace("scenario: ready", "scenario: picky")
    picky = picky.replace("inputs:\n", "inputs:\n  region: {type: string}\n")
    (folder / "testdata/scenarios/picky.yaml").write_text(picky)
    change(folder, "compose.yaml", "migrate: {sql: migrations}", 'migrate: {sql: migrations}\n      export: {CACHE: "{cache.url}"}')
    page = folder / "page.md"
    return told(run(folder, GITHUB_STEP_SUMMARY=str(page)), page)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("unknown", "raedy: there is no such scenario\n    -> did you mean 'ready'?"),
        ("input", "scenario(notes): the scenario has no such input\n    -> did you mean 'note'?"),
        ("value", "scenario(note=two): 'two' is not"),
        ("picky", "the scenario needs a value for region"),
        ("picky", 'give it in the mark: scenario("...", region=...)'),
    ],
)
@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_mark_that_cannot_be_is_told_in_the_words_of_a_mark(session: Told, fixture: str, name: str, phrase: str) -> None:
    said = session.wrong[f"test_{name}_{fixture}"]
    assert phrase in said, said
    assert "seeder/" not in said.replace(".seeder/", "")
    assert "--set" not in session.out


def test_what_did_not_come_true_is_told_at_the_line_of_the_test(session: Told) -> None:
    assert "the condition did not become true within 0.2 s: last answer False" in session.wrong["test_late"]
    assert "within='200ms'" in session.wrong["test_late"]
    assert "ZeroDivisionError" in session.wrong["test_broken"]
    assert "seeder/session.py" not in session.out
    assert "seeder/wait.py" not in session.out


def test_a_name_that_is_none_is_told_at_the_line_of_the_test(session: Told) -> None:
    assert "dbx: stack small has no such store" in session.wrong["test_nobody"]
    assert "environment.sql('dbx')" in session.wrong["test_nobody"]


def test_a_database_alone_is_given_though_an_export_names_what_is_not_there(session: Told) -> None:
    assert "test_alone" not in session.wrong


def test_the_page_of_a_job_gets_a_table(session: Told) -> None:
    assert "median" in session.out
    assert session.page.startswith("### seeder: tests\n\n| resets | median | bundles |")
    assert "`test_suite.py::test_it[3]`" in session.page
    assert session.page.count("### seeder") == 1


def test_a_bad_row_is_told_with_its_place(tmp_path: Path) -> None:
    folder = suite(tmp_path, "def test_it(environment):\n    pass\n")
    change(folder, "testdata/golden/notes/db/notes.csv", "1,idea", "1,idee")
    done = run(folder)
    assert "notes.csv:2" in done.stdout
    assert "seeder/" not in done.stdout.replace(".seeder/", "")


def test_tests_that_need_their_order_are_named_and_share_the_state(tmp_path: Path) -> None:
    text = (
        "def test_reads(environment):\n    environment.sql('db').rows('select 1')\n\n"
        "def test_writes(environment):\n    environment.sql('db').rows('delete from notes where id = 1')\n\n"
        "def test_after(environment):\n    environment.sql('db').rows('delete from notes')\n\n"
        "def test_last(environment):\n    assert environment.sql('db').scalar('select count(*) from notes') == 0\n"
    )
    done = run(suite(tmp_path, text), "--seeder-report-order")
    assert done.returncode == 0, done.stdout
    began = [line for line in done.stdout.splitlines() if "began at another state" in line]
    where = "test_suite.py::"
    assert began == [
        f"{where}test_after began at another state than the seeded: db, written by {where}test_writes",
        f"{where}test_last began at another state than the seeded: db, written by {where}test_writes, {where}test_after",
    ]
