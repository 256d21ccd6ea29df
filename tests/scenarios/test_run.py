"""The main job, as a user sees it: `seeder run` on a small stack, both runtimes."""

import json

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import change
from tests.scenarios.seeder import leftovers, run_id, seeder


def run(folder, runtime, *command, options=(), **variables):
    return seeder("run", "small", "--scenario", "ready", "--runtime", runtime, *options, "--", *command, cwd=folder, **variables)


def result(folder):
    return json.loads((folder / ".seeder" / "runs" / run_id(folder) / "result.json").read_text())


DIE = "import os, urllib.request as u; u.urlopen(os.environ['NOTES_WEB'] + '/die')"
ASK = "import json, os, urllib.request as u; print(json.load(u.urlopen(os.environ['NOTES_WEB'] + '/environment'))['SEEDER_AS_OF'])"


def test_a_good_command_finds_its_world_and_ends_with_0_and_nothing_is_left(project, home, runtime):
    folder = project("small")
    command = f'echo $SEEDER_OUTPUT_NOTE $SEEDER_AS_OF; cat; exec python3 -c "{ASK}"'
    said = run(folder, runtime, "sh", "-c", command, options=("--set", "note=2"))
    assert said.code == 0, said.err
    assert said.out.splitlines() == ["2 2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z"], "the command and its services live at one time"
    assert result(folder)["ended_by"] == "success"
    assert leftovers(run_id(folder), home) == []


def test_the_commands_code_is_the_runs_and_a_bundle_is_kept(project, home, runtime):
    folder = project("small")
    change(
        folder,
        "web/web.py",
        "        body =",
        '        if self.path == "/die":\n            print("no more", flush=True)\n            os._exit(3)\n        body =',
    )
    said = run(folder, runtime, "sh", "-c", f'python3 -c "{DIE}" 2>/dev/null; sleep 1; exit 7')
    assert said.code == 7, said.err
    bundle = folder / ".seeder" / "bundles" / run_id(folder)
    assert said.err.count("web ended with code 3 while the command ran") == 1
    assert "web: ended with code 3 while the command ran -> its log ends with: no more" in said.err
    assert result(folder)["ended"] == ["web ended with code 3 while the command ran"]
    assert json.loads((bundle / "bundle.json").read_text())["ended"] == ["web ended with code 3"]
    assert seeder("snapshot", "verify", str(bundle), cwd=folder).code == 0
    known = json.loads((bundle / "result.json").read_text())
    assert 1 < known["seconds"] < result(folder)["seconds"]
    assert known["bundle"] == str(bundle)
    assert {p.name for p in (bundle / "stores").iterdir()} == {"db", "cache"}
    assert (bundle / "logs" / "web.log").exists()
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert b"correct-horse-battery" not in everything
    assert leftovers(run_id(folder), home) == []


@product("runtime", RUNTIMES, some=[["docker"]])
def test_the_digest_is_the_same_on_both_runtimes_and_every_time(project, runtime):
    folder = project("small")
    for each in ("local", runtime):
        assert run(folder, each, "true").code == 0
    (digest,) = {json.loads(file.read_text())["digest"] for file in folder.glob(".seeder/runs/*/result.json")}
    assert digest


def test_a_refused_expectation_ends_the_run_before_the_command(project, home):
    folder = project("small")
    scenario = folder / "testdata" / "scenarios" / "ready.yaml"
    scenario.write_text(scenario.read_text().replace("equals: first}", "equals: other, within: 100ms}", 1))
    said = run(folder, "local", "touch", "ran")
    assert said.code == 122
    assert "other" in said.err
    assert "first" in said.err
    assert not (folder / "ran").exists()
    assert leftovers(run_id(folder), home) == []


def test_a_bad_row_is_named_with_file_line_and_column(project):
    folder = project("small")
    rows = folder / "testdata" / "golden" / "notes" / "db" / "notes.csv"
    rows.write_text(rows.read_text() + "3,nokind,third,as_of,false\n")
    said = run(folder, "local", "true")
    assert said.code in (123, 125)
    assert "notes.csv:4" in said.err
    assert "nokind" in said.err
    assert "Traceback" not in said.err


def test_a_time_limit_ends_with_124(project, home):
    folder = project("small")
    said = run(folder, "local", "sleep", "60", options=("--timeout", "4s"))
    assert said.code == 124, said.err
    assert leftovers(run_id(folder), home) == []


@pytest.mark.parametrize(("command", "code"), [(["no-such-command"], 127), (["./manifest.yaml"], 126)])
def test_commands_that_cannot_run_are_known_before_anything_starts(project, command, code):
    folder = project("small")
    assert run(folder, "local", *command).code == code
    assert not (folder / ".seeder").exists()
