"""Wrong files: the documented code, the place, the cause and the remedy; never a traceback, and nothing is started."""

from __future__ import annotations

import pytest

from seeder.cli import _run
from tests.scenarios.bad_data import READ, ROWS
from tests.scenarios.bad_definitions import DEFINITIONS, Bad, M, S
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
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    code, err = said([*RUN[:-1], "touch", "ran"], folder, monkeypatch, capfd)
    told(err, place, bad)
    assert "::error file=" in err
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


@pytest.mark.parametrize("words", [RUN, ["plan", "small", "--runtime", "local"]], ids=["run", "plan"])
def test_a_run_that_is_refused_tells_all_that_check_tells(project, monkeypatch, capfd, words):
    folder = project("small")
    change(folder, "compose.yaml", "{sql: migrations}", "{sql: migration}")
    change(folder, M, "path: testdata/golden/notes", "path: testdata/golden/nots")
    change(folder, S, "{http: web,", "{http: webb,")
    _, checked = said(["check"], folder, monkeypatch, capfd)
    _, refused = said(words, folder, monkeypatch, capfd)
    assert refused.count("error: ") == 3
    assert {line for line in refused.splitlines() if line.startswith("error: ")} <= set(checked.splitlines())


NOTES = "testdata/golden/notes/db/notes.csv"


def test_a_changed_file_that_cannot_be_read_is_told_as_both_and_not_locked(project, monkeypatch, capfd):
    folder = project("small")
    assert said(["dataset", "lock", "notes"], folder, monkeypatch, capfd)[0] == 0
    sums = (folder / NOTES).parents[1] / "SHA256SUMS"
    (folder / NOTES).write_text((folder / NOTES).read_text() + "1\n")
    before = sums.read_text()
    code, refused = said(RUN, folder, monkeypatch, capfd)
    assert code == 125
    assert "differs from its digest" in refused
    assert f"{NOTES}:" in refused
    code, refused = said(["dataset", "lock", "notes"], folder, monkeypatch, capfd)
    assert (code, sums.read_text()) == (2, before)
    assert f"error: {NOTES}:" in refused


def test_a_file_that_no_store_takes_is_not_locked(project, monkeypatch, capfd):
    folder = project("small")
    (folder / NOTES).rename((folder / NOTES).with_suffix(".cvs"))
    code, refused = said(["dataset", "lock", "notes"], folder, monkeypatch, capfd)
    assert code == 2
    assert "db/notes.cvs: store db takes no such file" in refused


def test_locking_says_what_it_locked_as_the_user_sees_it(project, monkeypatch, capfd):
    folder = project("small")
    _, err = said(["dataset", "lock", "kinds"], folder, monkeypatch, capfd)
    assert err == "testdata/reference/kinds/SHA256SUMS: 1 file\n"
    _, err = said(["dataset", "validate", "kinds"], folder, monkeypatch, capfd)
    assert "in 1 file, no problems" in err


def test_a_project_whose_stack_cannot_be_read_can_be_locked(project, monkeypatch, capfd):
    folder = project("small")
    change(folder, "compose.yaml", "image: redis:8", "imag: redis:8")
    assert said(["dataset", "lock"], folder, monkeypatch, capfd)[0] == 0
