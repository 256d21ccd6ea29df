"""What happens on the way to the head of a history: rows go in at an older revision, and a state that all branches share is kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import change, proper
from tests.scenarios.layered import did, named
from tests.scenarios.seeder import Said, seeder
from tests.scenarios.suites import home_of_its_own

ASKED = ("small", "--scenario", "ready", "--services", "db,cache")


def run(folder: Path, runtime: str, command: str = "true") -> Said:
    return seeder("run", *ASKED, "--runtime", runtime, "--", "sh", "-c", command, cwd=folder, SEEDER_CACHE="on")


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    """The small project under a name of its own, so that nothing is kept of it before."""
    return named(project("small"), f"way-{tmp_path.name}")


@product("runtime", RUNTIMES, some=[["local"]])
def test_rows_that_are_loaded_at_an_older_revision_are_migrated(folder, runtime):
    (folder / "testdata/golden/notes/db/notes.csv").write_text("id,kind,body,written_at\n1,idea,first,as_of-2d\n")
    change(folder, "manifest.yaml", "name: notes,", "name: notes, loads_at: {db: '0001'},")
    change(folder, "manifest.yaml", "name: kinds,", "name: kinds, loads_at: {db: '0001_notes'},")
    (folder / "migrations/0003_shout.sql").write_text("update notes set body = upper(body);\nalter table notes rename kind to sort;\n")
    (folder / "testdata/scenarios/ready.yaml").write_text('scenario: ready\nversion: "1.0.0"\nstack: small\ndata: [kinds, notes]\n')
    plan = seeder("plan", *ASKED, "--runtime", runtime, cwd=folder).out
    lines = [" ".join(line.split()) for line in plan.splitlines()]
    way = [line for line in lines if line.startswith(("migrate db", "load"))]
    assert way == [
        "migrate db 0001_notes: 1 revision by sql (kinds@1.0.0 is loaded at this revision)",
        "load kinds@1.0.0 1 file into db at 0001_notes (reference data, brought up to date by key)",
        "load notes@1.0.0 1 file into db at 0001_notes (golden data)",
        "migrate db 0001_notes -> 0003_shout: 2 revisions by sql (over the rows of notes@1.0.0)",
        "load notes@1.0.0 1 file into cache (golden data)",
    ]
    name = json.loads(seeder("up", *ASKED, "--runtime", runtime, "--json", cwd=folder, SEEDER_CACHE="on").out)["run"]
    try:
        asked = seeder("sql", "db", "--run", name, "-c", "select body, sort, pinned from notes order by 1", cwd=folder).out
        assert "FIRST" in asked
        proper(seeder("gate", "--run", name, cwd=folder), 0)
    finally:
        proper(seeder("down", name, cwd=folder), 0)
    again = run(folder, runtime)
    proper(again, 0)
    assert did(folder, "migrate", "migrated") == []
    (folder / "migrations/0004_quiet.sql").write_text("update notes set body = lower(body);\n")
    proper(run(folder, runtime), 0)
    assert did(folder, "migrate", "migrated") == ["db"]


@product("runtime", RUNTIMES, some=[["local"]])
def test_whoever_edits_a_branchs_own_revision_begins_where_the_default_branch_ends(folder, tmp_path, monkeypatch, runtime):
    home_of_its_own(tmp_path, monkeypatch)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-q", "-m", "first"), ("switch", "-q", "-c", "feature")):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    mine = folder / "migrations/0003_mine.sql"
    mine.write_text("create table mine (id int primary key);\n")
    shown = seeder("plan", *ASKED, "--runtime", runtime, cwd=folder, SEEDER_CACHE="on").out
    assert "0001_notes, 0002_pinned: 2 revisions by sql  (the newest that main has; it is kept)" in shown
    assert "0002_pinned -> 0003_mine: 1 revision by sql  (over 0002_pinned)" in shown
    proper(run(folder, runtime), 0)
    mine.write_text("create table mine (id bigint primary key);\n")
    shown = seeder("plan", *ASKED, "--runtime", runtime, cwd=folder, SEEDER_CACHE="on").out
    assert "0002_pinned -> 0003_mine: 1 revision by sql  (layer of 0002_pinned found)" in shown
    proper(run(folder, runtime), 0)
