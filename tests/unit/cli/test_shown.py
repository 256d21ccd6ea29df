"""What a person is shown: whole sentences, whole seconds, paths as they would type them, codes that stay what they are."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from seeder.cli import _render, cache
from seeder.evidence import bundle
from seeder.passed.layer import Layer


@pytest.mark.parametrize("group", ["dataset", "cache", "snapshot", "scenario"])
def test_the_help_of_a_group_cuts_no_sentence(shown, monkeypatch, tmp_path, group):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = shown(tmp_path, f"{group} --help")
    assert code == 0
    assert "..." not in out.partition("Commands:")[2]


def test_an_error_keeps_its_code_where_its_traceback_is_asked_for(shown, project):
    folder = project("small")
    for line, expected in (("plan nope", 2), ("run nope -- true", 125)):
        plain, debugged = shown(folder, line), shown(folder, f"--debug {line}")
        assert (plain[0], debugged[0]) == (expected, expected)
        assert "Traceback" in debugged[2]
        assert debugged[2].endswith(plain[2])


def test_a_scenario_is_shown_with_its_file_as_seen_from_here(shown, project):
    _, out, _ = shown(project("small"), "scenario show ready")
    assert "\n  testdata/scenarios/ready.yaml\n" in out


def test_a_bundle_is_shown_with_its_paths_as_seen_from_here(shown, project):
    folder = project("small")
    made = folder / ".seeder" / "bundles" / "k3x9"
    made.mkdir(parents=True)
    told = {"id": "k3x9", "cause": f"{folder}/compose.yaml:2: db: it is not there", "as_of": "2026-01-15T12:00:00Z"}
    bundle.seal(made, {**told, "ended": ["web ended with code 1"]})
    assert "\n  ended    web ended with code 1\n" in shown(folder, "snapshot show k3x9")[1]
    for line in ("snapshot ls", "snapshot show k3x9"):
        _, out, _ = shown(folder, line)
        assert "compose.yaml:2: db: it is not there" in out
        assert str(folder) not in out
    assert "1 file" not in shown(folder, "snapshot verify k3x9")[2]  # it holds none but its index
    assert "no files, all as they were written" in shown(folder, "snapshot verify k3x9")[2]


def test_a_layer_was_used_at_a_whole_second():
    then = datetime.datetime(2026, 1, 15, 12, 0, 0, 123456, datetime.UTC)
    facts = {"project": "shop", "stack": "small", "server": "db", "holds": ["0001", "0002"]}
    row = cache._row(Layer("a" * 64, "portable", "/x", 10, then, then, facts))
    assert (row["used"], row["made"]) == ("2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z")
    assert (row["project"], row["of"], row["holds"], row["size"]) == ("shop", "small/db", "0001..0002", "10 B")


def test_bundles_are_removed_when_it_is_said_which(shown, project):
    folder = project("small")
    made = folder / ".seeder" / "bundles" / "k3x9"
    made.mkdir(parents=True)
    bundle.seal(made, {"id": "k3x9", "cause": "it failed"})
    assert shown(folder, "snapshot prune")[0] == 2
    assert "no bundles" in shown(folder, "snapshot prune --older 7d")[2]
    assert shown(folder, "snapshot prune --all --dry-run")[2].startswith("would remove .seeder/bundles/k3x9\n1 bundle")
    assert shown(folder, "snapshot prune --keep 0")[2].startswith("removed .seeder/bundles/k3x9\n")
    assert not made.exists()


def test_pruning_tells_the_limit_and_whose_the_layers_were():
    then = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
    mine = Layer("a" * 64, "portable", "/x", 10, then, then, {})
    theirs = dataclasses.replace(mine, own=False)
    assert cache._of_others([mine, theirs, theirs]) == ", 2 of another SEEDER_HOME"
    assert cache._of_others([mine]) == ""
    assert cache._limit(5_000_000_000, None) == "; kept: at most 5.0 GB, and what is in use"
    assert "used since 2026-01-15T12:00:00Z" in cache._limit(5, then)
    assert cache._limit(-1, None) == ""


def test_what_down_removed_counts_the_rows_of_a_dataset_as_one_thing():
    assert _render.kinds(["pid 7", "pid 8", "rows of notes@1.0.0", "port 1"]) == "2 processes, 1 dataset, 1 port"


def test_a_recording_is_not_written_beside_the_project(shown, project):
    code, _, said = shown(project("small"), "dataset record ../x/y")
    assert code == 2
    assert "../x/y: is not a name of a dataset" in said


def test_a_stub_s_files_are_shown_as_the_stub_s(shown, project):
    folder = project("small")
    made = folder / "testdata/golden/notes/outside/mappings"
    made.mkdir(parents=True)
    (made / "one.json").write_text("{}")
    assert "outside/mappings" not in shown(folder, "dataset ls")[1]
