"""Wrong command lines: the documented code, what is wrong and what to do, and never a traceback."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.seeder import Said

USAGE, ENVIRONMENT, RUN_USAGE = 2, 3, 125

# words -> (exit code, what the message names)
BAD = [
    ("nosuch", USAGE, "nosuch: there is no such command"),
    ("pln", USAGE, "did you mean 'plan'"),
    ("--nosuch", USAGE, "--nosuch"),
    ("plan --nosuch", USAGE, "--nosuch"),
    ("plan smal", USAGE, "did you mean 'small'"),
    ("plan small other", USAGE, "other"),
    ("plan --scenario raedy", USAGE, "did you mean 'ready'"),
    ("plan --set note=1", USAGE, "add --scenario"),
    ("plan --scenario ready --set note", USAGE, "--set note=VALUE"),
    ("plan --scenario ready --set =1", USAGE, "KEY=VALUE"),
    ("plan --scenario ready --set note=x", USAGE, "note"),
    ("plan --scenario ready --set note=1 --set note=2", USAGE, "given twice"),
    ("plan --scenario ready --set nothing=1", USAGE, "nothing"),
    ("plan --runtime kubernetes", USAGE, "kubernetes"),
    ("plan --policy staging", USAGE, "known: ci"),
    ("plan --seed many", USAGE, "many"),
    ("plan --services webb", USAGE, "did you mean 'web'"),
    ("plan --image webb=x:1", USAGE, "did you mean 'web'"),
    ("plan --image web", USAGE, "--image web=VALUE"),
    ("plan --project /nowhere", USAGE, "/nowhere"),
    ("check --project /nowhere", USAGE, "/nowhere"),
    ("run small", RUN_USAGE, "no command was given"),
    ("run small pytest -- true", RUN_USAGE, "pytest"),
    ("run smal -- true", RUN_USAGE, "did you mean 'small'"),
    ("run --timeout soon -- true", RUN_USAGE, "--timeout soon"),
    ("run --timeout 0s -- true", RUN_USAGE, "no time at all"),
    ("run --ttl 4 -- true", RUN_USAGE, "write it like"),
    ("run --repeat 0 -- true", RUN_USAGE, "0"),
    ("run --scenario-tag nosuch -- true", RUN_USAGE, "--scenario-tag nosuch"),
    ("run --scenario ready --scenario-tag smoke -- true", RUN_USAGE, "--scenario"),
    ("run --keeep -- true", RUN_USAGE, "--keeep"),
    ("up --ttl never", USAGE, "--ttl never"),
    ("up small --keep", USAGE, "--keep"),
    ("down nosuch", USAGE, "no such run"),
    ("down", USAGE, "no environment is alive"),
    ("env", USAGE, "seeder up"),
    ("env --run nosuch", USAGE, "no such run"),
    ("env --format xml", USAGE, "xml"),
    ("logs --tail -1", USAGE, "-1"),
    ("logs web --run nosuch", USAGE, "no such run"),
    ("logs --follow --json", USAGE, "--follow"),
    ("sql", USAGE, "STORE"),
    ("sql db", USAGE, "no environment is alive"),
    ("digest nosuch", USAGE, "no environment is alive"),
    ("gate --entity order=1", USAGE, "--entity"),
    ("snapshot", USAGE, "verify"),
    ("snapshot show", USAGE, "BUNDLE"),
    ("snapshot show nosuch", USAGE, "no such bundle"),
    ("snapshot show ./web", ENVIRONMENT, "is not a bundle"),
    ("snapshot verify /nowhere/at-all", ENVIRONMENT, "is not a bundle"),
    ("snapshot restore x", USAGE, "no such bundle"),
    ("snapshot restore ./web", ENVIRONMENT, "is not a bundle"),
    ("snapshot save nosuch", USAGE, "no such run"),
    ("scenario", USAGE, "show"),
    ("scenario show raedy", USAGE, "did you mean 'ready'"),
    ("scenario graph raedy", USAGE, "did you mean 'ready'"),
    ("generator show notes.write", USAGE, "there is no such capability"),
    ("dataset lock note", USAGE, "did you mean 'notes'"),
    ("dataset lock notes@9", USAGE, "notes@1.0.0"),
    ("dataset validate --policy staging", USAGE, "known: ci"),
    ("dataset validate --stack smal", USAGE, "did you mean 'small'"),
    ("schema manifesto", USAGE, "did you mean 'manifest'"),
    ("schema manifest scenario", USAGE, "scenario"),
    ("init nosuch.yaml", USAGE, "no such file"),
    ("init --name Big!", USAGE, "small letters"),
    ("init", USAGE, "is there already"),
    ("doctor --fix", USAGE, "--fix"),
]


@pytest.mark.parametrize(("line", "code", "named"), BAD, ids=[line for line, _, _ in BAD])
def test_a_wrong_command_line_is_refused_with_its_code_and_a_remedy(project, shown, monkeypatch, tmp_path, line, code, named):
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    said = Said(*shown(project("small"), line))
    assert said.code == code, said.err
    assert named in said.err
    assert "Traceback" not in said.err
    if "--json" in line:
        assert json.loads(said.out)["error"]["code"] == code
    else:
        assert said.out == ""


@pytest.mark.parametrize("line", ["plan", "check", "up", "scenario ls", "dataset ls", "dataset lock", "dataset validate", "snapshot ls"])
def test_outside_of_a_project_every_command_says_how_to_make_one(shown, tmp_path, line):
    said = Said(*shown(tmp_path, line))
    assert said.code == USAGE
    assert "seeder init" in said.err
    assert "Traceback" not in said.err
