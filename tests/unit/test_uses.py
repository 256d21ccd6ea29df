"""Scenarios that use scenarios: their steps are laid out once, draw their values as they would by themselves, and what they need counts."""

from __future__ import annotations

import datetime
import importlib.metadata
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder import check
from seeder.definition import uses
from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.errors import DefinitionError, Problem
from seeder.passed.operation import Plan
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from seeder.reuse import chain

SMALL = Path(__file__).resolve().parents[1] / "data/small"
NOW = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
GENERATORS = """
from dataclasses import dataclass
from seeder import Context, generator

@dataclass
class Note:
    id: int
    body: str

@generator("notes.write", version="1", owner="notes-team")
def write(ctx: Context, *, body: str = "", after: int = 0) -> Note:
    return Note(after, body)

@generator("books.bind", version="1", owner="books-team")
def bind(ctx: Context, *, note: int) -> Note:
    return Note(note, "")
"""
WRITTEN = """
    inputs:
      body: {type: string, default: hello, pattern: "^[a-z]+$"}
      many: {type: integer, default: 1, maximum: 3}
    data: [kinds, notes]
    steps:
      first: {use: notes.write, with: {body: "${inputs.body}"}}
      second: {use: notes.write, with: {after: "${first.id}"}}
    act:
      last: {use: notes.write}
    outputs: {note: "${second.id}", body: "${first.body}", last: "${last.id}", many: "${inputs.many}"}
"""


Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    def made(**scenarios: str) -> Path:
        at = shutil.copytree(SMALL, tmp_path / "small", dirs_exist_ok=True)
        compose = (at / "compose.yaml").read_text()  # `web` is run in a folder without scenarios
        (at / "compose.yaml").write_text(
            compose.replace('{command: ["{python}", "web/web.py",', '{cwd: web, command: ["{python}", "web.py",')
        )
        (at / "generators").mkdir(exist_ok=True)
        (at / "generators/notes.py").write_text(GENERATORS)
        for name, text in {"written": WRITTEN, **scenarios}.items():
            write(at / "testdata/scenarios", name, text)
        return at

    return made


def write(folder: Path, name: str, text: str) -> None:
    """A scenario whose text begins in line 4."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(f'scenario: {name}\nversion: "1"\nstack: small\n{textwrap.dedent(text).lstrip()}')


def planned(at: Path, scenario: str, **inputs: str) -> Plan:
    return _planned(at, Request(scenario=scenario, inputs=inputs))


def planned_with(at: Path, scenario: str, *overlays: Path) -> Plan:
    return _planned(at, Request(scenario=scenario, overlays=tuple(map(str, overlays))))


def _planned(at: Path, request: Request) -> Plan:
    definition = resolve(read_project(at / "manifest.yaml"), request, traits(), {})
    return make(definition, RUNTIMES.get("local"), "asked for", NOW)


def problems(at: Path) -> list[Problem]:
    return check.check_project(at, {}, NOW).errors


def told(at: Path) -> list[tuple[str, int, str, str]]:
    """File, line, cause, remedy of each problem."""
    return [(one.mark.file.name if one.mark else "", one.mark.line if one.mark else 0, one.cause, one.remedy) for one in problems(at)]


def steps(plan: Plan) -> dict[str, str]:
    return {make.step.name: make.step.key for make in [*plan.calls, *plan.acts] if hasattr(make, "step")}


BOUND = """
    steps:
      base: {use: scenario/written, with: {body: "${inputs.word}"}}
      book: {use: books.bind, with: {note: "${base.note}"}}
    inputs: {word: {type: string, default: hello}}
    outputs: {book: "${book.id}", body: "${base.body}"}
"""


def test_the_steps_of_a_used_scenario_come_first_and_keep_the_values_that_they_draw(project: Project) -> None:
    at = project(bound=BOUND)
    assert problems(at) == []
    plan = planned(at, "bound")
    assert list(steps(plan).items()) == [("base/first", "written/first"), ("base/second", "written/second"), ("book", "bound/book")]
    assert [call.after for call in plan.calls] == [(), ("base/first",), ("base/first", "base/second")]
    assert list(steps(planned(at, "written")).values()) == ["written/first", "written/second", "written/last"]


def test_data_of_a_used_scenario_is_loaded_before_that_of_its_user(project: Project) -> None:
    at = project(bound="data: [kinds]\nsteps:\n  base: {use: scenario/written}\n")
    assert [dataset.name for dataset in planned(at, "bound").definition.datasets] == ["kinds", "notes"]


def test_a_state_that_two_ask_for_is_there_once_and_one_with_other_inputs_beside_it(project: Project) -> None:
    both = """
        steps:
          bound: {use: scenario/bound}
          same: {use: scenario/written}
          other: {use: scenario/written, with: {body: bye}}
          end: {use: books.bind, with: {note: "${same.note}"}, after: [other]}
    """
    at = project(bound=BOUND, both=both)
    assert problems(at) == []
    made = steps(planned(at, "both"))
    assert made == {
        "bound/base/first": "written/first",
        "bound/base/second": "written/second",
        "bound/book": "bound/book",
        "other/first": "both.other/first",
        "other/second": "both.other/second",
        "end": "both/end",
    }


def test_what_a_step_is_told_of_a_used_scenario_decides_what_it_makes(project: Project) -> None:
    def known() -> str:
        plan = planned(project(bound=BOUND, written=text), "bound")
        return chain.whole(plan, chain.of(plan))

    text = WRITTEN
    first = known()
    assert known() == first
    text = WRITTEN.replace('note: "${second.id}"', 'note: "${first.id}"')
    assert known() != first
    text = WRITTEN.replace("last: {use: notes.write}", "last: {use: books.bind, with: {note: 1}}")
    assert known() == first


def test_steps_come_after_what_their_scenario_is_given_and_comes_after(project: Project) -> None:
    late = """
        steps:
          a: {use: notes.write}
          b: {use: books.bind, with: {note: 1}}
          base: {use: scenario/written, with: {body: "${a.body}"}, after: [b]}
    """
    plan = planned(project(late=late), "late")
    assert {call.subject: call.after for call in plan.calls if call.subject.startswith("base")} == {
        "base/first": ("a", "b"),
        "base/second": ("a", "b", "base/first"),
    }


def test_a_package_offers_scenarios_for_stacks_of_its_name(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "their_scenarios"
    write(theirs, "offered", WRITTEN)
    write(theirs, "elsewhere", WRITTEN)
    (theirs / "elsewhere.yaml").write_text((theirs / "elsewhere.yaml").read_text().replace("stack: small", "stack: other"))
    (theirs / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(uses, "offered", lambda group: [importlib.metadata.EntryPoint("theirs", "their_scenarios", group)])
    at = project(bound=BOUND.replace("scenario/written", "scenario/offered"))
    assert problems(at) == []
    assert list(steps(planned(at, "bound"))) == ["base/first", "base/second", "book"]
    assert list(steps(planned(at, "offered"))) == ["first", "second", "last"]
    assert "elsewhere" not in read_project(at / "manifest.yaml").scenarios
    write(theirs, "written", WRITTEN)
    (one,) = problems(project(bound=BOUND))
    assert f"{theirs}/written.yaml is a scenario of this name too" in one.cause


def test_what_is_wrong_with_a_used_scenario_stops_who_uses_it(project: Project) -> None:
    at = project(bound=BOUND, written=WRITTEN.replace("notes.write}", "notes.write, wiht: 1}"))
    with pytest.raises(DefinitionError, match=r"written\.yaml:\d+: act\.last.*no such key"):
        planned(at, "bound")
    at = project(bound=BOUND, written=WRITTEN.replace("first: {use: notes.write", "first: {use: notes.writ"))
    with pytest.raises(DefinitionError, match="there is no capability"):
        planned(at, "bound")


MAIL = """
owner: mail-team
generators:
  mail.send: {use: http, version: "1", url: "${NOWHERE}", path: /send, outputs: {type: object}}
"""


def test_who_cannot_be_asked_here_is_told_before_a_run_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    at = project(asks="steps: {a: {use: mail.send}}\n")
    (at / "generators/mail.yaml").write_text(MAIL)
    found = check.check_project(at, {}, NOW)
    (hint,) = [one for one in found.hints if one.subject == "steps.a"]
    assert (found.errors, hint.mark and hint.mark.file.name, hint.mark and hint.mark.line) == ([], "asks.yaml", 4)
    assert "mail.send of mail-team cannot be asked here: ${NOWHERE} is no address once its variables are filled in" in hint.cause
    monkeypatch.setenv("NOWHERE", "http://mail.example")
    assert not [one for one in check.check_project(at, {}, NOW).hints if one.subject == "steps.a"]
