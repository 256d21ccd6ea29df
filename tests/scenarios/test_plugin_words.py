"""What the plugin tells: problems without the lines of seeder that found them, in the words of tests, and a table for the job's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.failing import change
from tests.scenarios.suites import run, suite

pytestmark = pytest.mark.usefixtures("cached")


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("'raedy'", "raedy: there is no such scenario\n    -> did you mean 'ready'?"),
        ("'ready', notes=2", "scenario(notes): the scenario has no such input\n    -> did you mean 'note'?"),
        ("'ready', note='two'", "scenario(note=two): 'two' is not"),
        ("'picky'", "the scenario needs a value for region"),
        ("'picky'", 'give it in the mark: scenario("...", region=...)'),
    ],
)
@pytest.mark.parametrize("fixture", ["environment", "seeder_database"])
def test_a_mark_that_cannot_be_is_told_in_the_words_of_a_mark(tmp_path: Path, fixture: str, mark: str, told: str) -> None:
    text = f"import pytest\n\n@pytest.mark.scenario({mark})\ndef test_it({fixture}):\n    {fixture}('db')\n"
    folder = suite(tmp_path, text)
    picky = (folder / "testdata/scenarios/ready.yaml").read_text().replace("scenario: ready", "scenario: picky")
    picky = picky.replace("inputs:\n", "inputs:\n  region: {type: string}\n")
    (folder / "testdata/scenarios/picky.yaml").write_text(picky)
    done = run(folder)
    assert told in done.stdout, done.stdout
    assert "seeder/" not in done.stdout.replace(".seeder/", "")
    assert "--set" not in done.stdout


def test_a_bad_row_is_told_with_its_place(tmp_path: Path) -> None:
    folder = suite(tmp_path, "def test_it(environment):\n    pass\n")
    change(folder, "testdata/golden/notes/db/notes.csv", "1,idea", "1,idee")
    done = run(folder)
    assert "notes.csv:2" in done.stdout
    assert "seeder/" not in done.stdout.replace(".seeder/", "")


def test_what_did_not_come_true_is_told_at_the_line_of_the_test(tmp_path: Path) -> None:
    text = (
        "def test_late(environment):\n    environment.eventually(lambda: 1 > 2, within='200ms')\n\n"
        "def test_broken(environment):\n    environment.eventually(lambda: 1 / 0)\n"
    )
    done = run(suite(tmp_path, text))
    assert "the condition did not become true within 0.2 s: last answer False" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "seeder/session.py" not in done.stdout
    assert "seeder/wait.py" not in done.stdout


def test_tests_that_need_their_order_are_named(tmp_path: Path) -> None:
    text = (
        "def test_reads(environment):\n    environment.sql('db').rows('select 1')\n\n"
        "def test_writes(environment):\n    environment.sql('db').rows('delete from notes where id = 1')\n\n"
        "def test_after(environment):\n    environment.sql('db').rows('delete from notes')\n\n"
        "def test_last(environment):\n    pass\n"
    )
    done = run(suite(tmp_path, text), "--seeder-report-order")
    assert done.returncode == 0, done.stdout
    began = [line for line in done.stdout.splitlines() if "began at another state" in line]
    where = "test_suite.py::"
    assert began == [
        f"{where}test_after began at another state than the seeded: db, written by {where}test_writes",
        f"{where}test_last began at another state than the seeded: db, written by {where}test_writes, {where}test_after",
    ]


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_the_page_of_a_job_gets_a_table(tmp_path: Path, words: tuple[str, ...]) -> None:
    text = (
        "import pytest\n\n@pytest.mark.parametrize('time', range(4))\n"
        "def test_it(environment, time):\n    environment.sql('db').rows('delete from notes')\n    assert time != 3\n"
    )
    page = tmp_path / "page.md"
    done = run(suite(tmp_path, text), *words, GITHUB_STEP_SUMMARY=str(page))
    assert "median" in done.stdout
    written = page.read_text()
    assert written.startswith("### seeder: tests\n\n| resets | median | bundles |")
    assert "`test_suite.py::test_it[3]`" in written
    assert written.count("### seeder") == 1
