"""Locked capabilities: what a change breaks is told with owner, scenarios and steps, and told apart from what does no harm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seeder.cli import cli
from seeder.definition.expectation import Expectation
from seeder.definition.scenario import Scenario
from seeder.definition.step import Step
from seeder.errors import Mark
from seeder.passed.capability import Capability
from seeder.promises import locked
from seeder.promises.compatibility import changes
from seeder.promises.locked import Changed

SMALL = Path(__file__).resolve().parents[1] / "data/small"
BEFORE: dict[str, Any] = {
    "type": "object",
    "required": ["body"],
    "properties": {"body": {"type": "string", "maxLength": 9}, "stars": {"type": "integer", "minimum": 1}, "kind": {"enum": ["a", "b"]}},
}


def promise(version: str = "1.2", *, inputs: dict[str, Any] = BEFORE, outputs: dict[str, Any] = BEFORE) -> Capability:
    return Capability("notes.write", version, "notes-team", inputs, outputs, Mark(Path("a.py"), 1))


def with_(name: str, shape: dict[str, Any] | None, *required: str) -> dict[str, Any]:
    properties = {**BEFORE["properties"], name: shape}
    return {**BEFORE, "required": ["body", *required], "properties": {n: one for n, one in properties.items() if one is not None}}


# name -> (what it takes, what it gives), as (version, changed part) -> whether that breaks who relied on it
CASES: dict[str, tuple[Capability, bool | None]] = {
    "nothing": (promise(), None),
    "another major version": (promise("2.0"), True),
    "a minor version": (promise("1.3"), False),
    "an input is gone": (promise(inputs=with_("stars", None)), True),
    "a new input": (promise(inputs=with_("more", {"type": "string"})), False),
    "a new input that is needed": (promise(inputs=with_("more", {"type": "string"}, "more")), True),
    "an input is needed now": (promise(inputs=with_("stars", {"type": "integer", "minimum": 1}, "stars")), True),
    "an input may be of more kinds": (promise(inputs=with_("stars", {"type": "number"})), False),
    "an input may be nothing": (promise(inputs=with_("body", {"anyOf": [{"type": "string"}, {"type": "null"}]})), False),
    "an input is of another kind": (promise(inputs=with_("stars", {"type": "string"})), True),
    "a higher minimum": (promise(inputs=with_("stars", {"type": "integer", "minimum": 2})), True),
    "a lower minimum": (promise(inputs=with_("stars", {"type": "integer", "minimum": 0})), False),
    "one value less": (promise(inputs=with_("kind", {"enum": ["a"]})), True),
    "one value more": (promise(inputs=with_("kind", {"enum": ["a", "b", "c"]})), False),
    "a shorter text": (promise(inputs=with_("body", {"type": "string", "maxLength": 5})), True),
    "an output is gone": (promise(outputs=with_("stars", None)), True),
    "a new output": (promise(outputs=with_("more", {"type": "string"})), False),
    "an output may be missing": (promise(outputs={**BEFORE, "required": []}), True),
    "an output is sure now": (promise(outputs={**BEFORE, "required": ["body", "stars"]}), None),
    "an output is of another kind": (promise(outputs=with_("stars", {"type": "string"})), True),
    "an output may be nothing": (promise(outputs=with_("body", {"anyOf": [{"type": "string"}, {"type": "null"}]})), True),
    "an output has one value more": (promise(outputs=with_("kind", {"enum": ["a", "b", "c"]})), True),
    "an output has one value less": (promise(outputs=with_("kind", {"enum": ["a"]})), False),
    "a list of something else": (promise(outputs={"type": "array", "items": {"type": "string"}}), True),
}


@pytest.mark.parametrize("case", CASES)
def test_what_breaks_is_told_apart_from_what_does_not(case):
    now, breaking = CASES[case]
    found = changes(promise(), now)
    assert (any(one.breaking for one in found) if found else None) == breaking, found


def test_objects_within_objects_are_compared_too():
    inner = {"type": "object", "properties": {"city": {"$ref": "#/$defs/City"}}, "required": ["city"]}
    before = promise(outputs={**with_("home", inner), "$defs": {"City": {"type": "string"}}})
    now = promise(outputs={**with_("home", inner), "$defs": {"City": {"type": ["string", "null"]}}})
    (found,) = changes(before, now)
    assert found.breaking
    assert found.said == "output home is of another kind: city: it may be nothing, and a text is taken"


WRITE = """
from dataclasses import dataclass
from typing import Literal

from seeder import Context, generator


@dataclass
class Note:
    id: int
    body: str


@generator("notes.write", version="1", owner="notes-team")
def write(ctx: Context, *, body: str = "hello", kind: Literal["idea", "task"] = "idea") -> Note:
    return Note(1, body)
"""
SCENARIO = """
scenario: written
version: "1.0.0"
stack: small
steps:
  first: {use: notes.write, with: {kind: task}}
  second: {use: notes.write, with: {body: "${first.body}"}}
outputs: {note: "${second.id}"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "small"
    shutil.copytree(SMALL, folder)
    (folder / "generators").mkdir()
    (folder / "testdata/scenarios/written.yaml").write_text(SCENARIO)
    monkeypatch.chdir(folder)
    return folder


def now(folder: Path, text: str = WRITE, name: str = "notes") -> None:
    """What the team offers from now on; a module that was read is not read again in one process."""
    for file in (folder / "generators").glob("*.py"):
        file.unlink()
    (folder / f"generators/{name}.py").write_text(text)


def said(*words: str) -> Any:
    done = CliRunner().invoke(cli, [*words, "--json"], standalone_mode=False)
    return json.loads(done.stdout)


def checked() -> tuple[dict[str, str], dict[str, str]]:
    found = said("check")
    return tuple({one["subject"]: one["cause"] for one in found[kind]} for kind in ("errors", "hints"))


def test_check_names_the_scenarios_and_steps_that_a_change_breaks(folder):
    now(folder)
    assert checked()[1]["generators.lock"].startswith("what 1 capability of stack small promises is not locked")
    assert said("generator", "lock")["new"] == ["notes.write"]
    assert "generators.lock" not in {**checked()[0], **checked()[1]}
    now(folder, WRITE.replace('["idea", "task"]', '["idea"]'), "narrower")
    cause = 'changed by notes-team since it was locked: input kind takes less: it may be "task"; it breaks written (steps.first)'
    assert checked()[0]["notes.write"] == cause
    now(folder, WRITE.replace("body: str\n", "text: str\n"), "renamed")
    assert checked()[0]["notes.write"] == "changed by notes-team since it was locked: output body is gone; it breaks written (steps.first)"
    now(folder, WRITE.replace('version="1"', 'version="2"'), "major")
    assert checked()[0]["notes.write"].endswith("it breaks written (steps.first), written (steps.second)")
    now(folder, WRITE.replace('body: str = "hello"', "body: str"), "needed")
    assert checked()[0]["notes.write"].endswith("input body is needed now; it breaks written (steps.first)")
    now(folder, WRITE.replace("notes.write", "notes.put"), "gone")
    errors, hints = checked()
    assert errors["notes.write"] == "notes-team does not offer it any more; it breaks written (steps.first), written (steps.second)"
    assert hints["notes.put"] == "is not locked yet"


def test_what_is_expected_where_events_go_wrong_is_broken_too():
    read = Expectation("key", Mark(Path("s.yaml"), 9), key="note:${first.stars}", exists=True)
    first = Step("first", Mark(Path("s.yaml"), 5), use="notes.write")
    scenario = Scenario("late", "1", "small", Path("s.yaml"), Mark(Path("s.yaml"), 1), steps=(first,), variants={("late", ""): (read,)})
    gone = promise(outputs=with_("stars", None))
    (problem,) = locked.problems(Changed(promise(), gone, tuple(changes(promise(), gone))), [scenario])
    assert problem.cause.endswith("output stars is gone; it breaks late (steps.first)")


def test_what_does_no_harm_is_a_hint_until_it_is_locked(folder):
    now(folder)
    said("generator", "lock")
    now(folder, WRITE.replace('body: str = "hello"', 'body: str = "hello", stars: int = 1'), "more")
    errors, hints = checked()
    assert errors == {}
    assert hints["notes.write"] == "changed since it was locked: input stars is new"
    shown = said("generator", "show", "notes.write")
    assert (shown["locked"], shown["changed"], shown["steps"]) == (True, ["input stars is new"], {"written": ["first", "second"]})
    now(folder, WRITE.replace('body: str = "hello"', "body: str, stars: int = 1"), "broken_too")
    errors, hints = checked()
    assert "input body is needed now" in errors["notes.write"]
    assert "input stars is new" in hints["notes.write"]
    now(folder, WRITE.replace('body: str = "hello"', 'body: str = "hello", stars: int = 1'), "more_again")
    assert said("generator", "lock")["changed"] == {"notes.write": ["input stars is new"]}
    assert "notes.write" not in checked()[1]
    assert said("generator", "show", "notes.write")["changed"] == []


def test_a_lock_that_cannot_be_read_is_told_with_its_line(folder):
    now(folder)
    (folder / "generators.lock").write_text('{"format": "1",\n "capabilities": {"notes.write": {"version": 1}}}')
    found = {one["subject"]: one["line"] for one in said("check")["errors"]}
    assert found["capabilities.notes.write.version"] == 2


def test_an_answer_without_parts_is_shown_as_it_is(folder):
    now(folder, WRITE.replace("-> Note", "-> list[str]"), "listed")
    shown = CliRunner().invoke(cli, ["generator", "show", "notes.write"], standalone_mode=False).stdout
    assert "\n  output  a list\n" in shown
