"""`seeder scenario run`: the state is made, acted in and checked, without a command; of several there is one summary."""

from __future__ import annotations

import json
from pathlib import Path

from tests.scenarios.failing import proper
from tests.scenarios.seeder import seeder
from tests.scenarios.suites import run as suite
from tests.scenarios.test_layers import did
from tests.scenarios.test_steps import STEPS, folder, scenario

__all__ = ["folder"]

OTHER = """scenario: other
version: "1"
stack: small
tags: [checked]
inputs: {body: {type: string, default: red}}
data: [kinds, notes]
steps:
  note: {use: notes.write, with: {body: "${inputs.body}"}}
expect:
  - {store: db, query: "select body from notes where id = :id", with: {id: "${note.id}"}, equals: red, within: 100ms}
outputs: {body: "${note.body}", session_token: abcdefghijkl}
"""


def ran(folder: Path, *words: str):
    return seeder("scenario", "run", *words, "--services", "db", "--runtime", "local", cwd=folder, SEEDER_CACHE="on")


def test_a_scenario_runs_by_itself_and_several_are_told_in_one_summary(folder):
    scenario(folder, f"    tags: [checked]\n{STEPS}")
    (folder / "testdata/scenarios/other.yaml").write_text(OTHER)
    one = ran(folder, "steps", "--json")
    proper(one, 0)
    result = json.loads(one.out)
    assert (result["scenario"], result["ended_by"], result["outputs"]["bodies"]) == ("steps", "success", ["red 3", "blue 3"])
    assert did(folder, "act", "made") == ["last"]
    refused = ran(folder, "other", "--set", "body=blue", "--json")
    proper(refused, 122, "other.yaml:10")
    assert json.loads(refused.out)["ended_by"] == "gate"
    assert json.loads(ran(folder, "other", "--json").out)["outputs"] == {"body": "red", "session_token": "***"}
    both = ran(folder, "--tag", "checked", "-q")
    proper(both, 0)
    assert [line.split()[:2] for line in both.out.splitlines()] == [["SCENARIO", "RESULT"], ["other", "ok"], ["steps", "ok"]]


def test_what_it_cannot_run_is_refused_as_run_does(folder, shown):
    (folder / "testdata/scenarios/other.yaml").write_text(OTHER)
    for words, *told in (
        ("othr", "there is no such scenario", "did you mean 'other'?"),
        ("--set body=x", "inputs belong to one scenario"),
        ("other --tag checked", "leave one of them out"),
        ("--tag chekced", "no scenario has this tag", "did you mean 'checked'?"),
        ("other --set boddy=x", "no such input"),
        ("--nothing", "no such option"),
    ):
        code, _, err = shown(folder, f"scenario run {words}")
        assert code == 125, err
        assert all(one in err for one in told), err


SUITE = """
def test_what_the_overlay_says(environment):
    assert environment.outputs["body"] == "blue"
"""


def test_an_overlay_counts_for_tests_and_for_commands(folder):
    (folder / "testdata/scenarios/other.yaml").write_text(OTHER)
    (folder / "over.yaml").write_text("scenario: other\ninputs: {body: {default: blue}}\nexpect: !reset null\n")
    (folder / "test_suite.py").write_text(SUITE)
    done = suite(folder, "--seeder-overlay", "over.yaml", scenario="other")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(ran(folder, "other", "--overlay", "over.yaml", "--json").out)["outputs"]["body"] == "blue"


MORE = """scenario: more
version: "1"
stack: small
steps:
  base: {use: scenario/steps, with: {kind: "${inputs.kind}"}}
  extra: {use: notes.write, with: {body: "after ${base.first}"}}
  a: {use: notes.write}
inputs: {kind: {type: string, default: idea}}
outputs: {extra: "${extra.body}", a: "${a.body}", ids: "${extra.id} ${a.id}", bodies: "${base.bodies}"}
"""


ALONE = """scenario: alone
version: "1"
stack: small
steps: {base: {use: scenario/steps}}
act: {last: {use: notes.write, with: {body: "${base.first}"}}}
outputs: {bodies: "${base.bodies}"}
"""


def test_a_scenario_goes_on_from_the_set_of_the_one_that_it_uses(folder):
    scenario(folder, STEPS)
    (folder / "testdata/scenarios/more.yaml").write_text(MORE)
    proper(ran(folder, "steps", "-q"), 0)
    words = ("plan", "small", "--scenario", "more", "--services", "db", "--runtime", "local")
    planned = seeder(*words, cwd=folder, SEEDER_CACHE="on").out
    assert "found, the state of scenario steps" in planned
    assert [line.split()[1] for line in planned.splitlines() if line.strip().startswith("make ")] == ["a", "extra"]
    on_top = ran(folder, "more", "--json")
    proper(on_top, 0)
    assert did(folder, "load", "made") == ["a", "extra"]
    anew = ran(folder, "more", "--json", "--no-cache")
    assert did(folder, "load", "made") == ["a", "base/first", "base/late", "base/others", "extra"]
    again = ran(folder, "more", "--json")
    assert did(folder, "load", "made") == []
    told = [json.loads(one.out)["outputs"] for one in (on_top, anew, again)]
    assert told[0] == told[1] == told[2]
    (folder / "testdata/scenarios/alone.yaml").write_text(ALONE)
    alone = ran(folder, "alone", "--json")  # its set is that of `steps`, whose steps have other names there
    proper(alone, 0)
    assert did(folder, "load", "made") == []
    assert json.loads(alone.out)["outputs"]["bodies"] == told[0]["bodies"]
