"""What the command line makes of `seeder run`: which words are the command's, how often it runs, what is printed where."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.seeder import seeder

pytestmark = pytest.mark.usefixtures("cached")


def test_everything_after_the_dashes_is_the_commands(project):
    said = seeder("run", "--runtime", "local", "--quiet", "--", "echo", "small", "--json", "--", "-q", cwd=project("small"))
    assert (said.code, said.out, said.err) == (0, "small --json -- -q\n", "")


def test_the_first_bad_code_of_repeated_runs_is_the_answer_and_each_has_an_environment_of_its_own(project):
    folder = project("small")
    said = seeder("run", "--runtime", "local", "--quiet", "--repeat", "2", "--", "sh", "-c", "echo $SEEDER_RUN; exit 5", cwd=folder)
    assert said.code == 5
    assert len(set(said.out.split())) == 2
    assert {path.name for path in (folder / ".seeder" / "bundles").iterdir()} == set(said.out.split())


def test_a_tag_runs_every_scenario_that_has_it(project):
    folder = project("small")
    scenarios = folder / "testdata" / "scenarios"
    text = (scenarios / "ready.yaml").read_text()
    (scenarios / "again.yaml").write_text(text.replace("scenario: ready", "scenario: again"))
    said = seeder("run", "--runtime", "local", "--scenario-tag", "smoke", "--", "true", cwd=folder)
    assert said.code == 0, said.err
    results = [json.loads(path.read_text())["scenario"] for path in folder.glob(".seeder/runs/*/result.json")]
    assert sorted(results) == ["again", "ready"]


def test_progress_and_summary_go_to_stderr_and_name_seed_time_and_digest(project):
    folder = project("small")
    said = seeder("run", "--runtime", "local", "--seed", "9", "--", "echo", "hi", cwd=folder)
    (file,) = folder.glob(".seeder/runs/*/result.json")
    assert said.out == "hi\n"
    for part in ("seed 9", "as of 2026-01-15T12:00:00Z", json.loads(file.read_text())["digest"][:16], "images", "migrate", "teardown"):
        assert part in said.err
    stand_in = [line for line in said.err.splitlines() if "another version stands in" in line]
    assert len(stand_in) == 1
    assert "postgres:17 -> PostgreSQL 18" in stand_in[0]
    assert stand_in[0].endswith("(db)")
