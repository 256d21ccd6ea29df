"""What differs between two datasets is told by rows and keys, not by files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from seeder.cli import cli
from tests.conftest import DATA

FILES = {
    "db/notes.csv": "id,body\n1,one\n2,\n3,three\n",
    "db/links.csv": "left,right\n1,2\n2,3\n",
    "cache/keys.jsonl": '{"key": "a", "value": "1"}\n{"key": "b", "value": "2"}\n',
    "events/notes.jsonl": '{"subject": "a", "payload": 1}\n{"subject": "a", "payload": 1}\n',
    "db/010-more.sql": "select 1;\n",
}


def folder(path: Path, **changes: str | None) -> Path:
    for name, text in {**FILES, **{key.replace("__", "/"): text for key, text in changes.items()}}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (path / name).write_text(text)
    return path


def differing(*words: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, object], str]:
    monkeypatch.chdir(DATA / "small")
    said = [CliRunner().invoke(cli, ["dataset", "diff", *words, *more], standalone_mode=False).stdout for more in (["--json"], [])]
    return {
        f"{one['store']}/{one['name']}": {k: v for k, v in one.items() if k not in ("store", "name")} for one in json.loads(said[0])
    }, said[1]


def test_rows_are_told_by_id_or_as_a_whole(tmp_path, monkeypatch):
    changed = {"db/notes.csv": 'id,body\n1,one\n2,""\n4,four\n', "db/links.csv": "left,right\n1,2\n3,3\n", "db/010-more.sql": "select 2;\n"}
    changed |= {"cache/keys.jsonl": '{"key": "b", "value": "3"}\n', "events/notes.jsonl": '{"subject": "a", "payload": 1}\n'}
    found, text = differing(str(folder(tmp_path / "a")), str(folder(tmp_path / "b", **changed)), monkeypatch=monkeypatch)
    assert found["db/notes"] == {"added": ["4"], "removed": ["3"], "changed": {"2": {"body": [None, ""]}}}
    assert found["db/links"] == {"added": ['{"left": "3", "right": "3"}'], "removed": ['{"left": "2", "right": "3"}'], "changed": {}}
    assert found["cache/keys"] == {"added": [], "removed": ["a"], "changed": {"b": {"value": ["2", "3"]}}}
    assert found["events/notes"] == {"added": [], "removed": ['{"payload": 1, "subject": "a"}'], "changed": {}}
    assert found["db/010-more.sql"] == {"file": "changed"}
    assert "db/notes: 1 added, 1 removed, 1 changed\n  + 4\n  - 3\n  ~ 2: body None -> ''" in text


def test_equal_folders_have_no_difference(tmp_path, monkeypatch):
    assert differing(str(folder(tmp_path / "a")), str(folder(tmp_path / "b")), monkeypatch=monkeypatch)[0] == {}


def test_datasets_are_named_by_version(tmp_path, monkeypatch):
    found, text = differing("notes@1.0.0", "kinds@1.0.0", monkeypatch=monkeypatch)
    assert "db/notes" in found
    assert "db/kinds: " in text
