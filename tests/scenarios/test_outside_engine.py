"""A store of a kind that another package brings: nothing of seeder is edited for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import DATA
from tests.scenarios.seeder import Said, seeder

PACKAGE = DATA / "outside" / "package"
SELF = f'"{sys.executable}" -m seeder'
LOOK = """
import json, os, urllib.request
for name in ("SHELF", "OTHER"):
    print(json.dumps(json.load(urllib.request.urlopen(os.environ[f"SEEDER_{name}_URL"]))))
"""


INSTALLED = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))


@pytest.fixture
def ask(project, monkeypatch):
    """The command line of a project of such stores, where their package is installed."""
    folder = project("outside")
    monkeypatch.setenv("PYTHONPATH", INSTALLED)
    return lambda *words: seeder(*words, cwd=folder)


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> tuple[Path, Said]:
    """One run whose command asks the stores three times: the answers of two are kept beside the project, the third is refused."""
    folder = Path(shutil.copytree(DATA / "outside", tmp_path_factory.mktemp("asked") / "outside"))
    (folder / "look.py").write_text(LOOK)
    words = f'"{sys.executable}" look.py > looked; {SELF} digest --json > digested; {SELF} sql shelf -c "select 1"'
    return folder, seeder("run", "--", "sh", "-c", words, cwd=folder, PYTHONPATH=INSTALLED)


def test_it_is_told_by_its_declaration_or_its_image_and_loaded_from_files_of_a_kind_that_it_takes(asked):
    folder, said = asked
    looked = (folder / "looked").read_text()
    assert [json.loads(line) for line in looked.splitlines()] == [{"first": "one"}, {"a": {"x": "1"}, "b": "2"}], said.err


def test_its_content_has_a_digest(asked):
    folder, said = asked
    assert said.code == 2, said.err
    found = json.loads((folder / "digested").read_text())["stores"]
    assert {name: store["parts"]["key"][0] for name, store in found.items()} == {"shelf": 1, "other": 2}


def test_a_question_that_it_does_not_answer_is_refused(asked):
    _, said = asked
    assert said.code == 2
    assert "shelf: is shelf and answers no SQL\n    -> use a client of your own" in said.err


def test_the_plan_names_what_will_run_and_what_is_loaded(ask):
    plan = ask("plan").out
    assert "shelf: registry.example/made-here:3 -> Shelf 1.0" in plan
    assert "2 files into other, shelf" in plan


def test_who_speaks_to_it_is_found_even_where_no_port_is_named(ask):
    assert "absent" not in ask("plan", "--services", "reader").out


def test_it_is_refused_where_its_package_is_not_installed(ask, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    said = ask("plan")
    assert said.code == 2
    assert "shelf: there is no engine shelf\n    -> known: nats, postgres, redis" in said.err


def test_a_file_that_it_does_not_take_is_refused(ask, tmp_path):
    (tmp_path / "outside" / "testdata" / "shelf" / "books.csv").write_text("id\n1\n")
    assert "store shelf takes no such file\n    -> known: keys.jsonl" in ask("check").err
