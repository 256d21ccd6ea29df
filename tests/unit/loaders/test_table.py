"""Tables as JSON lines, YAML and Parquet: the same rows, the same refusals."""

from __future__ import annotations

import datetime
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError
from seeder.loaders.table import TableLoader
from seeder.passed.content import Row, Table

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def read(path: Path, content: str | None = None) -> Table:
    if content is not None:
        path.write_text(content, encoding="utf-8")
    return TableLoader().read(Part("table", "orders-db", "orders", path, path.suffix[1:]), AS_OF)


def refusal(path: Path, content: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        read(path, content)
    return caught.value


def test_json_lines_keep_types_digits_and_lines(tmp_path: Path) -> None:
    table = read(
        tmp_path / "orders.jsonl",
        '{"id": 1, "total": 12345678901234567.89, "paid": true, "meta": {"tags": ["a"], "rate": 0.5}, "note": null}\n\n'
        '{"note": "as_of", "meta": [], "paid": false, "total": 2, "id": 2}\n',
    )
    assert table.columns == ("id", "total", "paid", "meta", "note")
    assert list(table.rows()) == [
        Row(1, (1, Decimal("12345678901234567.89"), True, {"tags": ["a"], "rate": 0.5}, None)),
        Row(3, (2, 2, False, [], "2026-01-15T12:00:00Z")),
    ]


def test_yaml_rows_are_the_same_rows(tmp_path: Path) -> None:
    table = read(tmp_path / "orders.yaml", "- {id: 1, code: NO, meta: {a: [1]}}\n- id: 2\n  code: as_of-1d\n  meta:\n")
    assert table.columns == ("id", "code", "meta")
    assert list(table.rows()) == [Row(1, (1, "NO", {"a": [1]})), Row(2, (2, "2026-01-14T12:00:00Z", None))]


def test_parquet_rows_are_the_same_rows(tmp_path: Path) -> None:
    pyarrow: Any = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "orders.parquet"
    data = {
        "id": [1, 2],
        "total": [Decimal("1.10"), None],
        "at": [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), None],
        "raw": [b"\x00\xff", b""],
        "meta": [{"a": [1]}, None],
    }
    parquet.write_table(pyarrow.table(data), path)
    table = read(path)
    assert table.columns == ("id", "total", "at", "raw", "meta")
    assert list(table.rows()) == [
        Row(1, (1, Decimal("1.10"), "2026-01-01T00:00:00+00:00", "\\x00ff", {"a": [1]})),
        Row(2, (2, None, None, "\\x", None)),
    ]


@pytest.mark.parametrize("name", ["orders.jsonl", "orders.yaml"])
def test_rows_of_one_file_have_the_same_columns(tmp_path: Path, name: str) -> None:
    dash = "- " if name.endswith("yaml") else ""
    rows = ['{"id": 1, "note": "a"}', '{"id": 2}', '{"id": 3, "note": "c", "more": 1}', '{"id": 4, "noet": "d"}']
    error = refusal(tmp_path / name, "".join(f"{dash}{row}\n" for row in rows))
    assert [problem.mark.line for problem in error.problems if problem.mark] == [2, 3, 4]
    assert "lacks note" in error.problems[0].cause
    assert "adds more" in error.problems[1].cause
    assert error.problems[2].remedy == "did you mean 'note'?"


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"id": 1', "this is not JSON"),
        ("[1]", "no JSON object"),
        ('{"id": NaN}', "NaN is no JSON value"),
        ('{"id": 1e99999999999999999999}', "1e999999999999999999... is too large or too small a number"),
        ('{"id": 1, "id": 2}', "'id' is repeated"),
        ('{"id": "\\ud83d"}', "half of a pair"),
        ('{"id": ' + "[" * 100_000 + "}", "nested too deep"),
    ],
)
def test_bad_json_lines_are_named(tmp_path: Path, line: str, cause: str) -> None:
    error = refusal(tmp_path / "orders.jsonl", f'{{"id": 0}}\n{line}\n')
    assert cause in error.problems[0].cause
    assert error.problems[0].mark is not None
    assert error.problems[0].mark.line == 2


def test_a_yaml_file_must_be_a_list_of_mappings(tmp_path: Path) -> None:
    assert "not a sequence" in str(refusal(tmp_path / "orders.yaml", "id: 1\n"))
    assert "no mapping" in str(refusal(tmp_path / "orders.yaml", "- id: 1\n- 2\n"))


def test_a_file_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    assert list(read(tmp_path / "orders.jsonl", "\n").rows()) == []
    assert list(read(tmp_path / "orders.csv", "id,note\n").rows()) == []


def test_something_else_than_parquet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "not Parquet" in str(refusal(tmp_path / "orders.parquet", "id\n1\n"))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,note\n" + f"1,{'a note that takes some room in memory' * 10}\n" * 10_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(path).rows()) == 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
