"""Runs in a system that others use, too: nothing of it is started or reset, what they make is marked, and none of it stays."""

from __future__ import annotations

import json
import signal
import textwrap
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from seeder.steps import ledger
from tests.conftest import DATA
from tests.scenarios import suites
from tests.scenarios.failing import proper
from tests.scenarios.seeder import Said, reached, run_id, seeder, started, until

NOTES = """
from dataclasses import dataclass
from pathlib import Path

from seeder import Context, Never, generator

BROKEN = Path(__file__).with_name("broken")


@dataclass
class Note:
    id: int
    body: str


def remove(ctx: Context, note: Note) -> None:
    if BROKEN.exists():
        raise Never("the archive is closed")
    ctx.sql("db").rows("delete from notes where id = :id", id=note.id)


def write(ctx: Context, body: str) -> Note:
    words = "insert into notes (kind, body, written_at) values ('idea', :body, :at) returning id"
    return Note(ctx.sql("db").scalar(words, body=body, at=ctx.as_of), body)


@generator("notes.write", version="1", owner="notes-team", undo=remove)
def marked(ctx: Context, *, about: str = "") -> Note:
    return write(ctx, f"{ctx.unique('note')} {about}")


@generator("notes.scribble", version="1", owner="notes-team", undo=remove)
def unmarked(ctx: Context) -> Note:
    return write(ctx, "whose is this?")


@generator("notes.carve", version="1", owner="stone-team")
def lasting(ctx: Context) -> Note:
    return write(ctx, ctx.unique("stone"))
"""
TARGETS = """
targets:
  staging:
    stack: small
    attachable: true
    isolation: prefix
    services: {web: {url: "${SEEDER_WEB_URL}"}}
    stores: {db: "${NOTES_DATABASE}"}
    marks:
      notes.write: {output: body, column: db.notes.body}
      notes.scribble: {output: body}
  closed: {stack: small, isolation: prefix, services: {web: {url: "http://127.0.0.1:1"}}}
"""
STEPS = """
    scenario: shared
    version: "1.0.0"
    stack: small
    steps:
      first: {use: notes.write, with: {about: one}}
      others: {use: notes.write, for_each: [red, blue], with: {about: "${each} after ${first.id}"}}
    outputs: {first: "${first.body}"}
"""


@pytest.fixture(scope="module")
def staging(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system that runs somewhere else, and how it is reached."""
    folder = copytree(DATA / "small", tmp_path_factory.mktemp("staging") / "small")
    place = {"SEEDER_HOME": str(home / "staging")}
    proper(seeder("up", "small", "--runtime", "local", cwd=folder, **place), 0)
    try:
        told = json.loads(seeder("env", "--format", "json", cwd=folder, **place).out)["variables"]
        yield {name: told[name] for name in ("SEEDER_WEB_URL", "NOTES_DATABASE")} | {"at": str(folder), "home": place["SEEDER_HOME"]}
    finally:
        proper(seeder("down", cwd=folder, **place), 0)


@pytest.fixture
def folder(project, staging: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SEEDER_WEB_URL", "NOTES_DATABASE"):
        monkeypatch.setenv(name, staging[name])
    folder: Path = project("small")
    (folder / "generators").mkdir()
    (folder / "generators/notes.py").write_text(NOTES)
    (folder / "manifest.yaml").write_text((folder / "manifest.yaml").read_text() + TARGETS)
    scenario(folder, STEPS)
    return folder


def scenario(folder: Path, text: str) -> None:
    (folder / "testdata/scenarios/shared.yaml").write_text(textwrap.dedent(text))


def run(folder: Path, *words: str, target: str = "staging", command: str = "true") -> Said:
    return seeder("run", "small", "--scenario", "shared", "--target", target, *words, "--", "sh", "-c", command, cwd=folder)


def bodies(staging: dict[str, str]) -> list[str]:
    rows = seeder("sql", "db", "-c", "select body from notes order by id", cwd=Path(staging["at"]), SEEDER_HOME=staging["home"])
    return rows.out.splitlines()


def test_what_a_run_makes_is_marked_while_it_lasts_and_gone_afterwards(folder, staging):
    before = bodies(staging)
    words = ("sql", "db", "-c", "select count(*) from notes where starts_with(body, '$SEEDER_MARK')")
    done = run(folder, command=f'echo "$SEEDER_MARK $SEEDER_OUTPUT_FIRST"; python3 -m seeder {words[0]} {words[1]} -c "{words[3]}"')
    proper(done, 0)
    mark, output, *_ = done.out.split()
    assert mark == f"sd-{run_id(folder)}"
    assert output.startswith(f"{mark}-note-")
    assert json.loads((folder / ".seeder/runs" / run_id(folder) / "result.json").read_text())["outputs"]["first"].startswith(output)
    assert done.out.splitlines()[1] == "3"
    assert bodies(staging) == before


def test_what_would_do_something_to_it_is_refused_before_anything_is_asked_of_it(folder):
    proper(run(folder, target="closed"), 125, "target closed", "not as attachable", "manifest.yaml:22")
    proper(run(folder, target="stagin"), 125, "did you mean 'staging'?")
    proper(run(folder, "--runtime", "local"), 125, "attaches to a system that is there, and --runtime local starts one")
    proper(run(folder, "--image", "web=other"), 125, "a shared system is attached to as it is")
    proper(run(folder, "--policy", "own"), 125, "there is no such policy")
    text = (folder / "manifest.yaml").read_text()
    (folder / "manifest.yaml").write_text(text.replace("privacy: no-pii}", "privacy: no-pii, attached: false}"))
    proper(run(folder), 125, "target staging", "policy ci forbids to attach")
    (folder / "manifest.yaml").write_text(text.replace("notes.write: {output", "notes.writ: {output"))
    proper(seeder("check", cwd=folder), 2, "there is no capability notes.writ", "did you mean 'notes.write'?")
    (folder / "manifest.yaml").write_text(text)
    scenario(folder, STEPS.replace("    outputs", "      stone: {use: notes.carve}\n    outputs"))
    proper(run(folder), 125, "step stone", "notes.carve of stone-team has no undo")
    data = STEPS.replace("    steps:", "    data: [notes]\n    steps:")
    scenario(folder, data)
    refused = run(folder)
    proper(refused, 125, "has files for cache, and target staging is shared: nobody could take back what they do there")
    assert not (folder / ".seeder/runs").exists()


def test_what_is_made_without_the_mark_is_refused_and_taken_back(folder, staging):
    before = bodies(staging)
    scenario(folder, STEPS.replace("    outputs", "      loose: {use: notes.scribble}\n    outputs"))
    proper(run(folder), 122, "step loose", "made it without the mark of this run", "body is 'whose is this?'")
    assert bodies(staging) == before


def test_it_is_there_until_somebody_takes_it_down_who_needs_to_know_nothing(folder, staging, monkeypatch):
    before = bodies(staging)
    proper(seeder("up", "small", "--scenario", "shared", "--target", "staging", cwd=folder), 0)
    monkeypatch.delenv("SEEDER_WEB_URL")
    monkeypatch.delenv("NOTES_DATABASE")
    run = run_id(folder)
    assert len(bodies(staging)) == len(before) + 3
    assert seeder("sql", "db", "-c", "select count(*) from notes", "--run", run, cwd=folder).out.strip() == str(len(before) + 3)
    proper(seeder("digest", "--run", run, cwd=folder), 0)
    (folder / "generators/broken").touch()
    failed = seeder("down", run, cwd=folder)
    proper(failed, 3, "notes.write of notes-team, step first, id=", "the archive is closed", "builds on it and is left")
    (folder / "generators/broken").unlink()
    proper(seeder("down", run, cwd=folder), 0)
    assert bodies(staging) == before


def test_what_the_command_made_with_the_mark_and_left_is_told(folder, staging):
    statement = "insert into notes (kind, body, written_at) values ('idea', '$SEEDER_MARK mine', now())"
    done = run(folder, command=f'python3 -m seeder sql db -c "{statement}"')
    proper(done, 121, "db.notes.body: 1 row with the mark sd-", "of which the ledger does not know")
    seeder("sql", "db", "-c", "delete from notes where body like 'sd-%'", cwd=Path(staging["at"]), SEEDER_HOME=staging["home"])
    proper(seeder("gc", cwd=folder), 0)


def test_a_run_that_is_killed_leaves_nothing(folder, staging):
    before = bodies(staging)
    words = ("run", "small", "--scenario", "shared", "--target", "staging", "--", "sleep", "60")
    with started(*words, cwd=folder) as child:
        until("the command", lambda: reached(folder, "command"))
        assert len(bodies(staging)) == len(before) + 3
        child.send_signal(signal.SIGKILL)
        child.wait()
    until("nothing is left", lambda: bodies(staging) == before, within=20)
    proper(seeder("gc", cwd=folder), 0)


def test_logs_and_resets_are_refused_and_nothing_of_the_system_is_in_the_evidence(folder, staging):
    proper(seeder("up", "small", "--scenario", "shared", "--target", "staging", cwd=folder), 0)
    run = run_id(folder)
    try:
        proper(seeder("logs", "web", "--run", run, cwd=folder), 3, "its log is there, not here")
        proper(seeder("reset", run, cwd=folder), 3, "attached to staging, which others use")
        proper(seeder("dataset", "record", "mine", "--from", run, cwd=folder), 2, "what it holds is not this run's alone")
        proper(found := seeder("snapshot", "save", run, cwd=folder), 0)
        saved = Path(found.out.strip())
        assert not (saved / "stores").exists()
        assert "correct-horse" not in "".join(path.read_text() for path in saved.rglob("*.json*"))
        assert [one.state for one in ledger.read(saved)] == ["confirmed"] * 3
    finally:
        proper(seeder("down", run, cwd=folder), 0)


SUITE = """
import pytest

MARKS = set()

@pytest.mark.parametrize("time", range(2))
def test_own(environment, time):
    mark = environment.variables()["SEEDER_MARK"]
    assert environment.outputs["first"].startswith(mark)
    mine = environment.sql("db").scalar("select count(*) from notes where starts_with(body, :mark)", mark=mark)
    others = environment.sql("db").scalar("select count(*) from notes where body like 'sd-%'")
    assert (mine, others) == (3, 3)
    assert mark not in MARKS
    MARKS.add(mark)

def test_reset(environment):
    with pytest.raises(Exception, match="attached to staging, which others use"):
        environment.reset()

def test_database(seeder_database):
    seeder_database("db")
"""


def test_each_test_has_what_it_needs_made_anew_and_taken_back(folder, staging):
    before = bodies(staging)
    (folder / "test_suite.py").write_text(SUITE)
    done = suites.run(folder, "--seeder-target", "staging", runtime="attached", scenario="shared")
    wrong = suites.wrong(done.stdout)
    assert set(wrong) == {"test_database"}, done.stdout
    assert "target staging is shared" in wrong["test_database"]
    assert "3 passed, 1 failed" in done.stdout or "1 failed, 3 passed" in done.stdout, done.stdout
    assert bodies(staging) == before
    reused = suites.run(folder, "--seeder-target", "staging", "--seeder-reuse", "-k", "own", runtime="attached", scenario="shared")
    assert "--seeder-reuse: would leave what tests made in target staging" in reused.stdout, reused.stdout
