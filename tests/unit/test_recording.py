"""What is recorded takes the place of what was there, and the manifest's entry is read as it was meant."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed
from seeder.passed.content import Held
from seeder.recording import Recorded, chosen_of, lines, privacy


def table(name: str, *rows: bytes) -> Held:
    return Held(name, "table", rows, b"id\n")


def test_files_of_stores_and_tables_that_are_empty_now_go_and_those_of_other_stores_stay(tmp_path: Path) -> None:
    Recorded(
        ("db", "cache", "pg/a"), {name: [table("one", b"1\n"), table("two", b"2\n")] for name in ("db", "cache", "pg/a")}, (), {}, "no-pii"
    ).write(tmp_path)
    Recorded(("db", "cache"), {"db": [table("two", b"3\n")]}, (), {}, "no-pii").write(tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.csv")}
    assert found == {"db/two.csv": "id\n3\n", "pg/a/one.csv": "id\n1\n", "pg/a/two.csv": "id\n2\n"}


@pytest.mark.parametrize(
    ("labels", "restored", "told"),
    [
        (["masked", "no-pii"], False, "masked"),
        (["no-pii"], False, "no-pii"),
        ([], False, None),
        (["no-pii"], True, "raw"),
        ([], True, "raw"),
    ],
)
def test_a_recording_is_no_better_than_what_it_was_made_from(labels: list[str], restored: bool, told: str | None) -> None:
    datasets = [SimpleNamespace(privacy=label, kind="golden") for label in labels]
    plan = SimpleNamespace(definition=SimpleNamespace(datasets=datasets))
    assert privacy(cast("Any", SimpleNamespace(plan=plan, restored=restored))) == told


def test_an_entry_is_read_as_it_was_meant() -> None:
    for name in ("ready", "007", "no", "a: b", "#1", "caf\u00e9 \U0001f600", "x # y", "1e3", "null"):
        entry = {"name": name, "kind": "golden", "version": "1.0", "path": f"/tmp/{name}", "requires": {"stack": ">=1.0,<2"}}
        assert yaml.safe_load("datasets:\n" + "\n".join(lines(entry)))["datasets"] == [entry]
    assert list(lines({"name": "ready", "kind": "golden", "path": "testdata/golden/ready"})) == [
        "  - name: ready",
        "    kind: golden",
        "    path: testdata/golden/ready",
    ]


def test_a_store_that_cannot_be_written_as_files_is_named_among_what_is_left_out() -> None:
    stores = {name: SimpleNamespace(engine=engine) for name, engine in {"outside": "stub", "db": "postgres"}.items()}
    stack = cast("Stack", SimpleNamespace(name="shop", stores=stores))
    assert chosen_of(stack, ()) == (["db"], ["outside: what a store of stub holds cannot be written as files"])
    assert chosen_of(stack, ["db"]) == (["db"], [])
    with pytest.raises(EnvironmentFailed, match="outside: what a store of stub"):
        chosen_of(stack, ["outside"])
