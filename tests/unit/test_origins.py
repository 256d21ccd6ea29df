"""Whence records come: who inserts is told, and refused where a scenario demands that they come through services."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from seeder.cli import cli
from tests.conftest import DATA

NOTES = """
from seeder import Context, generator


@generator("notes.insert", version="1", owner="notes-team", origin="inserted")
def insert(ctx: Context) -> int:
    return 1


@generator("notes.write", version="1", owner="notes-team")
def write(ctx: Context) -> int:
    return 1
"""
HEAD = 'scenario: {name}\nversion: "1.0.0"\nstack: small\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "small"
    shutil.copytree(DATA / "small", folder)
    (folder / "generators").mkdir()
    (folder / "generators/notes.py").write_text(NOTES)
    monkeypatch.chdir(folder)
    return folder


def refused(folder: Path, **scenarios: str) -> dict[str, tuple[str, int]]:
    """What a plan of the last of the scenarios, and `check`, tell: subject -> cause and line."""
    for name, text in scenarios.items():
        (folder / f"testdata/scenarios/{name}.yaml").write_text(HEAD.format(name=name) + text)
    planned = CliRunner().invoke(cli, ["plan", "small", "--scenario", name, "--runtime", "local", "--json"], standalone_mode=False)
    checked = CliRunner().invoke(cli, ["check", "--json"], standalone_mode=False)
    found = json.loads(checked.stdout)["errors"]
    if planned.exception:
        assert {one.subject for one in planned.exception.problems} == {one["subject"] for one in found}
    return {one["subject"]: (one["cause"], one["line"]) for one in found}


def test_what_inserts_is_named_with_its_owner_and_lookups_are_no_such(folder):
    steps = "data: [kinds, notes]\nsteps:\n  a: {use: notes.insert}\nact:\n  b: {use: notes.write}\n"
    assert refused(folder, free=steps) == {}
    found = refused(folder, strict=f"through: services\n{steps}")
    demands = "scenario strict demands records that come through services"
    assert found == {
        "data notes": (f"notes@1.0.0 is loaded into its stores, and {demands}", 5),
        "steps.a": (f"notes.insert of notes-team writes into a store, and {demands}", 7),
    }


def test_a_step_demands_it_for_itself_and_for_the_scenario_that_it_uses(folder):
    found = refused(folder, one="steps:\n  a: {use: notes.insert, through: services}\n  b: {use: notes.insert}\n")
    assert found == {
        "steps.a": ("notes.insert of notes-team writes into a store, and step a demands records that come through services", 5)
    }
    used = "steps:\n  base: {use: scenario/state, through: services}\n"
    found = refused(folder, one="", state="steps:\n  a: {use: notes.insert}\n", two=used)
    assert list(found) == ["steps.a"]
    assert "step base demands" in found["steps.a"][0]
