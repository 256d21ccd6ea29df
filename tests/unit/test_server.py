"""The process that brings up a server for all tests of one invocation."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from pathlib import Path

import pytest

import seeder
from seeder.check import check_project
from seeder.definition.request import Request
from seeder.errors import DefinitionError
from seeder.machine import process
from seeder.testing.server import ASKED, LOG, WRONG, Wanted, _begin, planned
from seeder.testing.suite import Asked, Suite
from tests.conftest import DATA
from tests.scenarios.failing import change


def test_one_that_began_while_another_failed_does_not_try_again(tmp_path: Path) -> None:
    """Two may begin it at once; the second waits for the lock, and finds what the first wrote."""
    told = json.dumps({"problems": [], "log": "of the first"})
    (tmp_path / WRONG).write_text(told, encoding="utf-8")
    child = _begin(tmp_path, Wanted(tmp_path / "no project", Request(inputs={"key": "correct-horse"}), "db"))
    try:
        assert str(tmp_path) in child.args
        assert not any("correct-horse" in str(word) for word in child.args)  # everyone on the machine sees them
        assert (tmp_path / ASKED).stat().st_mode & 0o777 == 0o600
        assert child.wait(30) == 0, (tmp_path / LOG).read_text(encoding="utf-8")
    finally:
        process.kill_group(child)
    assert (tmp_path / WRONG).read_text(encoding="utf-8") == told


def test_a_state_in_which_a_scenario_acts_needs_all_services(tmp_path: Path) -> None:
    folder = shutil.copytree(DATA / "small", tmp_path / "small")
    wanted = Wanted(folder, Request(scenario="ready", runtime="local", cache=False), "db")
    assert planned(wanted).services == ()
    acts = "act: {seen: {eventually: {get: web, path: /health, until: {status: ok}}}}\n"
    change(folder, "testdata/scenarios/ready.yaml", "expect:", f"{acts}expect:")
    plan = planned(wanted)
    assert [start.subject for start in plan.services] == ["web"]
    assert [act.subject for act in plan.acts] == ["seen"]


def test_databases_alone_need_no_local_form_of_services_that_they_never_start(tmp_path: Path) -> None:
    folder = shutil.copytree(DATA / "small", tmp_path / "small")
    change(folder, "compose.yaml", 'local: {command: ["{python}", "web/web.py", "{host}", "{port}"]}', "store: null")
    plan = planned(Wanted(folder, Request(scenario="ready", runtime="local", cache=False), "db"))
    assert [start.subject for start in plan.servers] == ["db"]


def mistaken(folder: Path) -> tuple[Path, str]:
    """The small project with a mistake in each kind of its files, and what a check tells of them."""
    made = shutil.copytree(DATA / "small", folder / "small")
    change(made, "compose.yaml", 'export: {NOTES_DATABASE: "{db.url}"', 'export: {NOTES_DATABASE: "{dbb.url}"')
    change(made, "testdata/scenarios/ready.yaml", "expect:", "expect:\n  - {http: webb, path: /health}")
    change(made, "testdata/reference/kinds/db/kinds.csv", "\n", ",again\n")
    found = check_project(made, os.environ, datetime.datetime.now(datetime.UTC)).errors
    assert len({problem.mark.file.suffix for problem in found if problem.mark} | {p.subject for p in found}) >= 3
    return made, str(DefinitionError.of(found))


def test_who_asks_in_python_or_for_databases_is_told_all_that_check_tells(tmp_path: Path) -> None:
    folder, everything = mistaken(tmp_path)
    with pytest.raises(DefinitionError) as told, seeder.up("small", scenario="ready", runtime="local", project=folder):
        pass
    assert str(told.value) == everything
    wanted = Wanted(folder, Request(scenario="ready", runtime="local"), "db")
    with pytest.raises(DefinitionError) as told:
        planned(wanted)
    assert str(told.value) == everything
    shutil.copy(folder / "testdata/scenarios/ready.yaml", folder / "testdata/scenarios/other.yaml")
    change(folder, "testdata/scenarios/other.yaml", "scenario: ready", "scenario: other")
    with pytest.raises(DefinitionError) as told:
        planned(wanted)
    assert (str(told.value), "more problem" in told.value.log) == (everything, True)
    suite = Suite(Asked(folder, Request(runtime="local"), tmp_path, "test"))
    with pytest.raises(DefinitionError) as told:
        suite.shared.get("ready", {})
    assert str(told.value) == everything
