"""Scenarios with steps: capabilities of teams make the state, which is kept as a layer; acting in it is not; what fails is told with its
capability, owner and inputs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from seeder.steps import ledger
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import evidence, proper
from tests.scenarios.layered import did, named
from tests.scenarios.seeder import Said, run_id, seeder
from tests.scenarios.suites import home_of_its_own
from tests.scenarios.suites import run as suite

NOTES = '''
from dataclasses import dataclass
from typing import Literal

import httpx

from seeder import Context, DependencyFailed, Never, TryAgain, generator

TRIES = []


@dataclass
class Note:
    id: int
    body: str


def remove(ctx: Context, note: Note) -> None:
    ctx.sql("db").rows("delete from notes where id = :id", id=note.id)


@generator("notes.write", version="1", owner="notes-team", contact="notes@example.org", origin="inserted", undo=remove)
def write(ctx: Context, *, kind: Literal["idea", "task"] = "idea", body: str | None = None) -> Note:
    """Writes a note down."""
    body = body or f"{ctx.unique('note')} by {ctx.fake.name()}"
    print(f"writes {kind}")
    words = "insert into notes (kind, body, written_at) values (:kind, :body, :at) returning id"
    return Note(ctx.sql("db").scalar(words, kind=kind, body=body, at=ctx.as_of), body)


@generator("notes.late", version="1", owner="late-team", origin="inserted")
def late(ctx: Context, *, tries: int) -> Note:
    TRIES.append(ctx.step)
    if len(TRIES) < tries:
        raise TryAgain("not yet", after="20ms")
    return Note(len(TRIES), ctx.step)


@generator("notes.fail", version="2", owner="fail-team", contact="#fail")
def fail(ctx: Context, *, how: str) -> Note:
    if how == "never":
        raise Never("the year is closed")
    if how == "dependency":
        raise DependencyFailed("the tax office", "it does not answer")
    if how == "answer":
        return "no note"
    if how == "server":
        httpx.Response(503, request=httpx.Request("POST", "http://x/notes"), text="busy").raise_for_status()
    return Note(1 // 0, "")
'''
STEPS = """
    steps:
      first: {use: notes.write, with: {kind: "${inputs.kind}"}}
      others: {use: notes.write, for_each: [red, blue], with: {body: "${each} ${first.id}"}}
      late: {use: notes.late, with: {tries: 3}}
    act:
      last: {use: notes.write, with: {body: "after ${others[1].body}"}}
    expect:
      - {store: db, query: "select body from notes where id = :id", with: {id: "${last.id}"}, equals: "after ${others[1].body}"}
    outputs: {last: "${last.id}", bodies: "${others[*].body}", first: "${first.body}", late: "${late.id}"}
"""
HEAD = """
    scenario: steps
    version: "1.0.0"
    stack: small
    inputs:
      kind: {type: string, enum: [idea, task], default: idea}
    data: [kinds, notes]
"""
ASKED = ("--scenario", "steps", "--services", "db")


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    folder = named(project("small"), f"steps-{tmp_path.name}")
    (folder / "generators").mkdir()
    (folder / "generators/notes.py").write_text(NOTES)
    return folder


def scenario(folder: Path, text: str) -> None:
    (folder / "testdata/scenarios/steps.yaml").write_text(textwrap.dedent(HEAD) + textwrap.dedent(text))


def run(folder: Path, runtime: str, *words: str) -> Said:
    asked = (*ASKED, "--runtime", runtime, *words)
    return seeder("run", "small", *asked, "--", "sh", "-c", "env | grep SEEDER_OUTPUT | sort", cwd=folder, SEEDER_CACHE="on")


@product("runtime", RUNTIMES, some=[["local"]])
def test_steps_make_the_state_once_and_what_is_acted_is_done_each_time(folder, runtime):
    scenario(folder, STEPS)
    first = run(folder, runtime)
    proper(first, 0)
    said = dict(line.removeprefix("SEEDER_OUTPUT_").split("=", 1) for line in first.out.splitlines())
    assert json.loads(said["BODIES"]) == ["red 3", "blue 3"]
    assert said["FIRST"].startswith("note-")
    assert (said["LAST"], said["LATE"]) == ("6", "3")
    assert did(folder, "load", "made") == ["first", "late", "others"]
    assert "notes.write (others[1]): writes idea" in first.err  # what it printed
    assert "inserted by kinds@1.0.0, notes.late, notes.write, notes@1.0.0" in first.err
    journal = (folder / f".seeder/runs/{run_id(folder)}/events.jsonl").read_text().splitlines()
    made = [one for one in map(json.loads, journal) if one["event"] == "step.made"]
    assert [(one["step"], one["origin"], one["state"]) for one in made][-1] == ("last", "inserted", "confirmed")
    again = run(folder, runtime)
    assert again.out == first.out, again.err
    assert did(folder, "load", "made") == []
    assert did(folder, "act", "made") == ["last"]
    assert to_make(folder, runtime) == []
    assert to_make(folder, runtime, "--set", "kind=task") == ["first", "late", "others"]


def to_make(folder: Path, runtime: str, *words: str) -> list[str]:
    """The steps that the next run would do."""
    said = seeder("plan", "small", *ASKED, "--runtime", runtime, *words, "--json", cwd=folder, SEEDER_CACHE="on")
    proper(said, 0)
    return sorted(one["subject"] for one in json.loads(said.out)["operations"] if one["verb"] == "make")


SUITE = """
import pytest

@pytest.mark.parametrize("time", range(2))
def test_what_was_acted_is_there(environment, time):
    assert environment.outputs["last"] == 6
    notes = environment.sql("db")
    assert notes.scalar("select body from notes where id = 6") == f"after {environment.outputs['bodies'][1]}"
    notes.rows("delete from notes")
"""


def test_each_test_sees_what_was_acted_also_in_an_environment_of_a_session_before(folder, tmp_path, monkeypatch):
    home_of_its_own(tmp_path, monkeypatch)
    scenario(folder, STEPS)
    (folder / "test_suite.py").write_text(SUITE)
    for _session in (1, 2):
        done = suite(folder, "--seeder-reuse", scenario="steps")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"`seeder down {run_id(folder)}`" in done.stdout  # there is one run
    assert seeder("down", run_id(folder), cwd=folder).code == 0


MADE = """
    steps:
      first: {use: notes.write, with: {body: one}}
      session_token: {use: notes.write, with: {body: two}}
    expect:
      - {store: db, query: "select body from notes where id = :id", with: {id: "${first.id}"}, equals: one}
"""


def test_what_steps_made_stands_with_the_set_alone_and_is_missed_where_it_is_not_known(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    scenario(folder, MADE)
    proper(seeder("up", "small", *ASKED, "--runtime", "local", cwd=folder, SEEDER_CACHE="on"), 0)
    try:
        known = {path.parent.name.split(".")[1]: path.read_text() for path in (tmp_path / "home").rglob("layers/*/layer.json")}
        assert {form for form, text in known.items() if "session_token" in text} == {"set"}
        proper(seeder("snapshot", "save", cwd=folder), 0)
        (index,) = (json.loads(path.read_text()) for path in (folder / ".seeder/bundles").glob("*/bundle.json"))
        assert index["results"] == {"first": {"id": 3, "body": "one"}}
        proper(seeder("gate", cwd=folder), 0)
        scenario(folder, MADE.replace("    expect:", "      more: {use: notes.write}\n    expect:"))
        proper(seeder("gate", cwd=folder), 3, "nobody knows what step more made", "`seeder up` makes it anew")
        proper(seeder("reset", cwd=folder), 0)
    finally:
        proper(seeder("down", cwd=folder), 0)


FAILURES = {
    "never": ["the year is closed", "ask fail-team (#fail)"],
    "dependency": ["the tax office: it does not answer", "ask the tax office"],
    "answer": ["its answer is not as it declares it", "whether it was made is unknown"],
    "server": ["POST /notes was answered with 503: busy", "whether it was made is unknown"],
    "defect": ["ZeroDivisionError", "(notes.py:49)", "whether it was made is unknown"],
}


@product("how", tuple(FAILURES), some=[["defect"]])  # of one that certainly made nothing, below
def test_what_fails_is_told_with_its_capability_owner_and_inputs(folder, how):
    scenario(folder, f"    steps:\n      bad: {{use: notes.fail, with: {{how: {how}}}}}\n")
    found = run(folder, "local", "-q")
    told = f'step bad: notes.fail 2 of fail-team, given {{"how": "{how}"}}'
    proper(found, 123, told, "testdata/scenarios/steps.yaml:9", *FAILURES[how])
    assert found.out == ""
    (entry,) = ledger.read(evidence(folder))
    state = "unknown" if "whether it was made is unknown" in FAILURES[how] else "failed"
    assert (entry.id, entry.given, entry.state) == ("bad", {"how": how}, state)


def test_what_steps_made_before_one_failed_is_taken_back_where_the_environment_stays(folder):
    made = "first: {use: notes.write, with: {body: one}}\n      late: {use: notes.late, with: {tries: 1}}"
    scenario(folder, f"    steps:\n      {made}\n      bad: {{use: notes.fail, with: {{how: never}}, after: [first, late]}}\n")
    found = run(folder, "local", "--keep-failed")
    try:
        proper(found, 123, 'step bad: notes.fail 2 of fail-team, given {"how": "never"}', "steps.yaml:11", *FAILURES["never"])
        assert "notes.late of late-team, step late, id=1: its capability has no undo; it stays in the environment" in found.err
        counted = seeder("sql", "db", "-c", "select count(*) from notes where body = 'one'", "--json", "--run", run_id(folder), cwd=folder)
        assert "0" in counted.out, counted.out
        states = {one.id: one.state for one in ledger.read(evidence(folder))}
        assert (states["first"], states["bad"]) == ("confirmed", "failed")
    finally:
        proper(seeder("down", run_id(folder), cwd=folder), 0)


# what is written elsewhere, what it becomes, what is told
NOWHERE = {
    "outputs": (
        'bodies: "${others[*].body}"',
        'bodies: "${others[5].body}"',
        ["steps.yaml:18: outputs.bodies: ${others[5].body} leads to nothing: there is a list of 2, and no 5"],
    ),
    "act": (
        'with: {body: "after ${others[1].body}"}',
        'with: {body: "after ${others[7].body}"}',
        ["step last: ${others[7].body} leads to nothing: there is a list of 2, and no 7", "steps.yaml:15"],
    ),
}


@product("where", tuple(NOWHERE), some=[["act"]])  # of outputs test_scenario knows
def test_a_reference_that_only_the_results_show_to_lead_nowhere_is_told_as_the_scenarios(folder, where):
    old, new, told = NOWHERE[where]
    unsaid = 'for_each: [red, blue], count: "${inputs.times}"'  # how many that are, no file tells
    scenario(folder, STEPS.replace(old, new).replace("for_each: [red, blue]", unsaid))
    file = folder / "testdata/scenarios/steps.yaml"
    file.write_text(file.read_text().replace("inputs:\n", "inputs:\n  times: {type: integer, default: 1}\n", 1))
    proper(run(folder, "local", "-q"), 123, *told)


def test_what_the_graph_gets_wrong_is_told_before_anything_starts(folder):
    scenario(folder, "    steps:\n      a: {use: notes.writ}\n      b: {use: notes.write, with: {kind: other, bdy: x}}\n")
    found = run(folder, "local")
    proper(
        found,
        125,
        "no capability notes.writ",
        "did you mean 'notes.write'?",
        "'other' is not one of",
        "takes no bdy",
        "steps.yaml:9",
        "steps.yaml:10",
    )
    assert not (folder / ".seeder/runs").exists()


def test_generators_are_listed_shown_and_drawn(folder, shown):
    scenario(folder, STEPS)
    theirs = 'scenario: theirs\nversion: "1"\nstack: other\nsteps:\n  a: {use: notes.write}\n'  # another stack's, of the same name
    (folder / "testdata/scenarios/theirs.yaml").write_text(theirs)
    listed = {one["name"]: one for one in json.loads(shown(folder, "generator ls --json")[1])}
    assert (listed["notes.write"]["owner"], listed["notes.write"]["scenarios"]) == ("notes-team", ["steps"])
    one = shown(folder, "generator show notes.write")[1]
    for said in (
        "notes.write 1 of notes-team (notes@example.org)",
        "input   kind: one of idea, task, default idea",
        "output  id: a whole number",
    ):
        assert said in one
    assert "others: notes.write for each  (after first)" in shown(folder, "scenario graph steps")[1]
    assert "s_first --> s_others" in shown(folder, "scenario graph steps --format mermaid")[1]
    assert shown(folder, "scenario graph steps --format svg")[1].startswith("<svg ")
    both = Said(*shown(folder, "scenario graph steps --format svg --json"))
    proper(both, 2, "--format", "--json draws nothing", "leave out one of them")
    proper(Said(*shown(folder, "generator show notes.writ")), 2, "no such capability", "did you mean 'notes.write'?")


def test_a_generator_that_cannot_be_read_is_told_with_its_line(folder, shown):
    (folder / "generators/notes.py").write_text(
        "from seeder import generator\n\n\n@generator('a.b', version='1', owner='t')\ndef f(ctx):\n    return 1\n"
    )
    (folder / "generators/other.py").write_text("import nothing_of_this_name\n")
    found = Said(*shown(folder, "check"))  # no scenario asks for one
    proper(
        found, 2, "notes.py:4", "answers nothing: give it a type that it returns", "other.py:1", "No module named 'nothing_of_this_name'"
    )
