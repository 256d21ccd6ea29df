"""Wrong files: the documented code, the place, the cause and the remedy; never a traceback, and nothing is started."""

from __future__ import annotations

import pytest

from seeder.cli import _run
from tests.scenarios.bad_data import READ, ROWS
from tests.scenarios.bad_definitions import DEFINITIONS, Bad
from tests.scenarios.failing import change, gone

RUN = ["run", "small", "--scenario", "ready", "--runtime", "local", "--", "true"]


def spoil(folder, bad: Bad) -> str:
    """Make the mistake; the place where it should be told, as far as the case says."""
    path = folder / bad.file
    text = path.read_text() if path.exists() else ""
    assert bad.old in text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((text.replace(bad.old, bad.new, 1) if bad.old else bad.new).encode(errors="surrogateescape"))
    where = bad.where or bad.file
    if not bad.at:
        return f"{where}:"
    told = (folder / where).read_text(errors="replace")
    return f"{where}:{told[: told.index(bad.at)].count(chr(10)) + 1}: "


def said(words, folder, monkeypatch, capfd) -> tuple[int, str]:
    """The code and the words of a command that is run in the folder."""
    monkeypatch.chdir(folder)
    code = _run(words)
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert "defect of seeder" not in err, err
    return code, err


def told(err: str, place: str, bad: Bad) -> None:
    """One problem stands at the place, and names cause and remedy."""
    problems = [problem for problem in err.split("error: ") if place in problem.partition("\n")[0]]
    assert any(bad.says in problem and bad.mends in problem for problem in problems), err


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_mistake_in_a_definition_is_told_by_check_and_refused_by_run(project, monkeypatch, capfd, name):
    folder, bad = project("small"), DEFINITIONS[name]
    place = spoil(folder, bad)
    code, err = said(["check"], folder, monkeypatch, capfd)
    told(err, place, bad)
    assert code == 2
    if bad.runs:
        return
    code, err = said(RUN, folder, monkeypatch, capfd)
    assert code == 125, err
    told(err, place, bad)
    assert not (folder / ".seeder").exists()


@pytest.mark.parametrize("name", READ)
def test_a_mistake_that_reading_finds_is_told_by_validate_and_check(project, monkeypatch, capfd, name):
    folder, bad = project("small"), READ[name]
    change(folder, "compose.yaml", "  web:\n", "  events:\n    image: nats:2\n  web:\n")
    place = spoil(folder, bad)
    for words in (["dataset", "validate"], ["check"]):
        code, err = said(words, folder, monkeypatch, capfd)
        told(err, place, bad)
        assert code == 2
    assert not (folder / ".seeder").exists()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_the_database_refuses_ends_the_run_before_its_command(project, home, monkeypatch, capfd, name):
    folder, bad = project("small"), ROWS[name]
    place = spoil(folder, bad)
    code, err = said([*RUN[:-1], "touch", "ran"], folder, monkeypatch, capfd)
    told(err, place, bad)
    assert code == 125
    assert not (folder / "ran").exists()
    if (folder / ".seeder").exists():
        gone(folder, home)


@pytest.mark.parametrize("name", ["csv: a short row", "keys: a key twice", "http: no request", "variables: nothing", "files: of nobody"])
def test_what_validate_finds_a_run_refuses(project, home, monkeypatch, capfd, name):
    folder, bad = project("small"), READ[name]
    place = spoil(folder, bad)
    code, err = said(RUN, folder, monkeypatch, capfd)
    told(err, place, bad)
    assert code == 125
    if (folder / ".seeder").exists():
        gone(folder, home)
