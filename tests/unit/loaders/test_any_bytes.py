"""Whatever stands in a data file, it is read or refused with its place; nothing else is ever raised."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError, Problem
from seeder.loaders import _requests
from seeder.passed.content import Table
from seeder.registry import LOADERS

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
FILES = [
    ("table", "rows.csv"),
    ("table", "rows.jsonl"),
    ("table", "rows.yaml"),
    ("table", "rows.parquet"),
    ("keys", "keys.jsonl"),
    ("messages", "orders.jsonl"),
    ("mappings", "one.json"),
    ("sql", "010-fill.sql"),
    ("http", "replay.http"),
]
PIECES = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\n", b"\r\n", b" ", b"- ", b"null", b"1", b"1e999", b"-", b"as_of", b"as_of-3d", b"as_of-",
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b'{"key": "a", "value": ', b'{"subject": "a", "payload": ', b"###", b"GET /",
    b"# expect ", b"&a ", b"*a", b"9" * 5000, b"PAR1", b"key", b"type", b"zset",
]  # fmt: skip


def problems(kind: str, path: Path) -> tuple[Problem, ...]:
    try:
        read(kind, path)
    except DefinitionError as error:
        return error.problems
    return ()


def read(kind: Any, path: Path) -> None:
    if kind == "http":
        _requests.read(path)
        return
    records = LOADERS.get(kind).read(Part(kind, "store", path.stem, path, path.suffix[1:]), AS_OF)
    if isinstance(records, Table):
        list(records.rows())


@pytest.mark.parametrize(("kind", "name"), FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.lists(st.sampled_from(PIECES), max_size=15).map(b"".join), st.binary(max_size=60)))
@example(content=b'{"key": "a", "type": "zset", "value": {"m": 1e999}}')
@example(content=b'{"key": "a", "type": ["x"], "value": 1}')
@example(content=b'{"a": "as_of-999999999999w"}')
@example(content=b"")
def test_a_file_is_read_or_refused_with_its_place(tmp_path: Path, kind: str, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for problem in problems(kind, path):
        assert problem.mark
        assert problem.mark.file == path
        assert problem.mark.line >= 1


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(DefinitionError):
        read(kind, tmp_path / name)
