"""Overlays change scenarios as an override changes a compose file, and what comes of it is told with the line that is to blame."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from seeder.definition.manifest import read_project
from seeder.definition.scenario import Scenario
from seeder.errors import DefinitionError, Problem
from tests.unit.test_uses import NOW, Project, chain, check, planned_with, project, steps

__all__ = ["project"]

BASE = """
    inputs:
      word: {type: string, enum: [red, blue], default: red}
    data: [kinds, notes@1.0]
    tags: [one]
    steps:
      first: {use: notes.write, with: {body: "${inputs.word}", after: 1}}
      second: {use: notes.write, with: {body: "${first.body}"}}
    act:
      last: {use: books.bind, with: {note: "${second.id}"}}
    expect:
      - {store: db, query: "select 1", equals: 1}
    outputs: {body: "${second.body}", word: "${inputs.word}"}
"""


def over(folder: Path, text: str, name: str = "over.yaml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text).lstrip())
    return path


def read(at: Path, *overlays: Path) -> Scenario:
    return read_project(at / "manifest.yaml", overlays).scenarios["base"]


def test_what_stands_in_both_is_merged(project: Project) -> None:
    at = project(base=BASE)
    changed = read(at, over(at, """
        scenario: base
        inputs: {word: {enum: [red, green], default: green}, more: {type: integer, default: 1}}
        data: [notes]
        tags: [two]
        steps:
          first: {with: {after: 7}}
          second: !override {use: books.bind, with: {note: 3}}
          third: {use: notes.write, after: [first]}
        act: {last: !reset null}
        expect: [{store: db, query: "select 2", equals: 2}]
        outputs: !override {note: "${second.id}"}
    """))  # fmt: skip
    assert changed.problems == ()
    assert [(one.name, one.default, one.enum) for one in changed.inputs] == [("word", "green", ("red", "green")), ("more", 1, ())]
    assert [(one.name, one.version) for one in changed.data] == [("kinds", None), ("notes", None)]
    assert changed.tags == ("one", "two")
    assert [(one.name, one.use, dict(one.given)) for one in changed.steps] == [
        ("first", "notes.write", {"body": "${inputs.word}", "after": 7}),
        ("second", "books.bind", {"note": 3}),
        ("third", "notes.write", {}),
    ]
    assert changed.act == ()
    assert [one.equals for one in changed.expect] == [1, 2]
    assert changed.outputs == {"note": "${second.id}"}


def test_later_overlays_go_over_earlier_ones_and_each_changes_its_own_scenario(project: Project) -> None:
    at = project(base=BASE, user="steps: {base: {use: scenario/base}}\n")
    one = over(at, "scenario: base\nsteps: {first: {with: {after: 5}}}\n", "one.yaml")
    two = over(at, "scenario: base\nsteps: {first: {with: {after: 6}}}\n", "two.yaml")
    other = over(at, "scenario: user\nsteps: {more: {use: notes.write, after: [base]}}\n", "three.yaml")
    plan = planned_with(at, "user", one, two, other)
    assert list(steps(plan)) == ["base/first", "base/second", "more"]
    assert plan.calls[0].step.given["after"] == 6  # type: ignore[union-attr]


def test_an_overlay_makes_another_state_only_by_what_it_changes(project: Project) -> None:
    at = project(base=BASE)

    def known(*overlays: Path) -> str:
        plan = planned_with(at, "base", *overlays)
        return chain.whole(plan, chain.of(plan))

    before = known()
    assert known(over(at, "scenario: base\ntags: [x]\nexpect: []\nsteps: {first: {with: {after: 1}}}\n")) == before
    assert known(over(at, "scenario: base\nsteps: {first: {with: {after: 2}}}\n")) != before


# overlay -> (file to blame, line, cause, remedy)
BAD = {
    "scenario: bse\n": ("over.yaml", 1, "there is no scenario bse", "did you mean 'base'?"),
    "steps: {}\n": ("over.yaml", 1, "does not say which scenario it changes", "scenario: NAME"),
    "scenario: base\nsteps: {first: {wiht: 1}}\n": ("over.yaml", 2, "there is no such key here", "did you mean 'with'?"),
    "scenario: base\nsteps:\n  first:\n    with: {after: none}\n": ("over.yaml", 4, "'none' is not of type 'integer'", "generator show"),
    "scenario: base\nsteps:\n  first: !reset null\n": ("over.yaml", 3, "needs first, which is removed here", "remove or change"),
    "scenario: base\nact: {}\nsteps: {second: !reset null}\n": ("over.yaml", 3, "refers to what is removed here", "remove or change"),
    "scenario: base\ninputs: !reset null\n": ("base.yaml", 9, "no input 'word'", ""),
    "scenario: base\ninputs:\n  word: !reset null\n": ("over.yaml", 3, "refers to what is removed here", "remove or change"),
    "scenario: base\ninputs: {word: {enum: [blue]}}\n": ("base.yaml", 5, "'red' is not among blue", "give a default that fits"),
    "scenario: base\nsteps: {first: {use: notes.wrte}}\n": ("over.yaml", 2, "no capability notes.wrte", "did you mean"),
    "scenario: base\nsteps: {first: {eventually: {get: web}}}\n": ("over.yaml", 2, "exactly one of use, eventually", ""),
    "scenario: base\nsteps: {first: {after: [last]}}\n": ("over.yaml", 2, "which is done in `act`", "move first to `act`"),
    "scenario: base\nsteps: {first: {after: [second]}}\n": ("over.yaml", 2, "first -> second -> first", "remove one of these edges"),
    "scenario: base\ndata: [notes@9]\n": ("over.yaml", 2, "no version 9 of notes", "known: 1.0.0"),
    "scenario: base\nsteps: {first: !rest null}\n": ("over.yaml", 2, "the tag is not known here", "remove it"),
    "scenario: base\nfaults: []\n": ("over.yaml", 2, "is not supported yet", "remove the key"),
    "- a\n": ("over.yaml", 1, "the top level of the file is not a mapping", ""),
}


@pytest.mark.parametrize("text", BAD)
def test_the_file_to_blame_is_told(project: Project, text: str) -> None:
    at = project(base=BASE)
    file, line, cause, remedy = BAD[text]
    found = check.check_project(at, {}, NOW, [over(at, text)]).errors
    told = [one for one in found if cause in one.cause]
    assert told, found
    assert told[0].mark
    assert (told[0].mark.file.name, told[0].mark.line, remedy in told[0].remedy) == (file, line, True), told[0]


def test_all_of_both_files_is_told_at_once(project: Project) -> None:
    at = project(base=BASE.replace("books.bind", "books.bnd"))
    text = "scenario: base\nsteps: {first: {with: {after: x, bdy: 1}}, third: {use: notes.write, wiht: {}}}\n"
    found: list[Problem] = check.check_project(at, {}, NOW, [over(at, text)]).errors
    assert [(one.mark.file.name, one.mark.line) for one in found if one.mark] == [*[("over.yaml", 2)] * 3, ("base.yaml", 12)]
    with pytest.raises(DefinitionError):
        planned_with(at, "base", over(at, text))
