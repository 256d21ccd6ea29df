"""A CSV file means what COPY makes of it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError
from seeder.loaders.table import TableLoader
from seeder.passed.content import Row, Table

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def read(folder: Path, content: bytes | str) -> Table:
    path = folder / "orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return TableLoader().read(Part("table", "orders-db", "orders", path, "csv"), AS_OF)


def values(table: Table) -> list[tuple[object, ...]]:
    return [row.values for row in table.rows()]


def refusal(folder: Path, content: bytes | str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        read(folder, content)
    return caught.value


def test_an_unquoted_empty_field_is_null_and_a_quoted_one_is_an_empty_string(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,note,more\n1,,""\n2,"",\n')
    assert table.columns == ("id", "note", "more")
    assert values(table) == [("1", None, ""), ("2", "", None)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"a,b"', "a,b"),
        ('"say ""hi"""', 'say "hi"'),
        ('""""', '"'),
        ('""""""', '""'),
        ('a"b,c"d', "ab,cd"),
        ('"a"b', "ab"),
        ('"two\nlines"', "two\nlines"),
        ('"two\r\nlines"', "two\r\nlines"),
        (" padded ", " padded "),
        ('" "', " "),
        ("NULL", "NULL"),
        ("\\N", "\\N"),
        ("naïve ☕", "naïve ☕"),
    ],
)
def test_quoting_follows_copy(tmp_path: Path, written: str, meant: str) -> None:
    assert values(read(tmp_path, f"id,note,more\n1,{written},x\n")) == [("1", meant, "x")]


def test_rows_keep_the_number_of_their_first_line(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,note\n1,"a\nb\nc"\n2,d\n')
    assert list(table.rows()) == [Row(2, ("1", "a\nb\nc")), Row(5, ("2", "d"))]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfid,note\r\n1,a\r\n2,b", b"id,note\n1,a\n2,b\n", b'"id","note"\r\n1,a\r\n2,b\r\n'])
def test_byte_order_mark_and_line_ends_are_no_part_of_the_data(tmp_path: Path, content: bytes) -> None:
    table = read(tmp_path, content)
    assert table.columns == ("id", "note")
    assert values(table) == [("1", "a"), ("2", "b")]


def test_a_blank_line_is_a_null_only_where_there_is_one_column(tmp_path: Path) -> None:
    assert values(read(tmp_path, "note\na\n\n")) == [("a",), (None,)]
    assert "the line is blank" in str(refusal(tmp_path, "id,note\n1,a\n\n2,b\n"))


def test_the_file_is_read_anew_for_every_reader(tmp_path: Path) -> None:
    table = read(tmp_path, "id\n1\n2\n")
    first, second = table.rows(), table.rows()
    assert next(first) == next(second) == Row(2, ("1",))
    assert values(table) == [("1",), ("2",)]


def test_relative_dates_count_from_the_reference_time(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c,d\nas_of,as_of-30d,as_of+2h30m,as_of_date\n")
    assert values(table) == [("2026-01-15T12:00:00Z", "2025-12-16T12:00:00Z", "2026-01-15T14:30:00Z", "as_of_date")]


def test_all_bad_lines_are_reported_at_once_with_their_places(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"id,at\n1\n2,as_of-3x\n3,\xff\n4,b,c\n5,a\rb\n6,\x00\n")
    assert [problem.mark.line for problem in error.problems if problem.mark] == [2, 3, 4, 5, 6, 7]
    assert "1 field, the header names 2" in str(error.problems[0])
    assert "'as_of-3x' is no relative date" in str(error.problems[1])
    assert "orders.at" in str(error.problems[1])
    assert "0xff is not UTF-8" in str(error.problems[2])
    assert "carriage return" in str(error.problems[4])
    assert "null character" in str(error.problems[5])


def test_a_byte_that_is_not_utf8_is_found_inside_a_record_of_many_lines(tmp_path: Path) -> None:
    error = refusal(tmp_path, b'id,note\n1,"a\nb\n\xe9"\n')
    assert [problem.mark.line for problem in error.problems if problem.mark] == [4]


def test_twenty_bad_lines_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, "id,note\n" + "1\n" * 50)
    assert len(error.problems) == 21
    assert "30 more" in str(error)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "the file is empty"),
        ("id,id\n", "the header names id twice"),
        ("id,,b\n", "the name of column 2 is empty"),
        ("id, note\n", "begins or ends with a blank"),
        ('id,"no\n1,2\n', "never closed"),
        ('id,note\n1,"no\n2,b\n', "never closed"),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path: Path, content: str, cause: str) -> None:
    error = refusal(tmp_path, content)
    assert cause in str(error)
    assert error.problems[0].mark is not None


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        TableLoader().read(Part("table", "orders-db", "orders", tmp_path / "orders.csv", "csv"), AS_OF)
