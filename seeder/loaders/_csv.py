"""Table files in CSV, by the rules of COPY: an unquoted empty field is NULL, a quoted one is an empty string; quotes may open and
close anywhere in a field; a quoted field keeps its line ends as they are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from seeder.errors import DefinitionError, Mark, Problem, nearest
from seeder.loaders import _mistakes
from seeder.passed.content import Row

MOST_BYTES: Final = 64 * 1024 * 1024

Fields = list[str | None]


def read(path: Path) -> tuple[tuple[str, ...], Callable[[], Iterator[Row | Problem]]]:
    """The columns of the header, and what reads the rows below it, one at a time. Raises DefinitionError for a bad header."""
    first = next(_records(path), None)
    if first is None:
        raise DefinitionError(path.name, "the file is empty", "its first line names the columns", Mark(path, 1))
    if isinstance(first, Problem):
        raise DefinitionError.of([first])
    columns = _header(path, first[1])
    return columns, functools.partial(_rows, path, len(columns))


def _header(path: Path, fields: Fields) -> tuple[str, ...]:
    names = tuple(name or "" for name in fields)
    if "" in names:
        raise DefinitionError(path.name, f"the name of column {names.index('') + 1} is empty", "name every column", Mark(path, 1))
    if len(names) == 1 and (other := next((mark for mark in (";", "\t") if mark in names[0]), None)):
        cause = f"the header is one column, {names[0]!r}"
        raise DefinitionError(path.name, cause, f"separate the fields by commas, not by {other!r}", Mark(path, 1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(path.name, f"the header names {', '.join(twice)} twice", "name every column once", Mark(path, 1))
    padded = [name for name in names if name != name.strip()]
    if padded:
        remedy = nearest(padded[0], [name.strip() for name in names])
        raise DefinitionError(path.name, f"the column name {padded[0]!r} begins or ends with a blank", remedy, Mark(path, 1))
    return names


def _rows(path: Path, width: int) -> Iterator[Row | Problem]:
    records = _records(path)
    next(records, None)
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        line, fields = record
        if len(fields) == width:
            yield Row(line, tuple(fields))
        elif fields == [None]:
            yield Problem(path.name, "the line is blank", "remove it", Mark(path, line))
        else:
            cause = f"the row has {len(fields)} field{'s' if len(fields) != 1 else ''}, the header names {width}"
            yield Problem(path.name, cause, "give one value per column; quote values that hold a comma", Mark(path, line))


def _records(path: Path) -> Iterator[tuple[int, Fields] | Problem]:
    """Every record with the number of its first line. A line end inside quotes does not end it, so a record is whole once the
    number of its quotes is even (an escaped quote is two)."""
    start, quotes, size = 1, 0, 0
    held: list[bytes] = []
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            held.append(raw.removeprefix(_mistakes.BOM) if number == 1 else raw)
            quotes += raw.count(b'"')
            size += len(raw)
            if quotes % 2 == 0:
                yield _record(path, start, b"".join(held))
                start, quotes, size, held = number + 1, 0, 0, []
            elif size > MOST_BYTES:
                yield _unclosed(path, start)
                return
    if held:
        yield _unclosed(path, start)


def _unclosed(path: Path, line: int) -> Problem:
    remedy = 'close it; a quote inside quotes is written ""'
    return Problem(path.name, "a quote that opens in this row is never closed", remedy, Mark(path, line))


def _record(path: Path, line: int, raw: bytes) -> tuple[int, Fields] | Problem:
    text = _mistakes.decoded(path, line, raw.removesuffix(b"\n").removesuffix(b"\r"))
    if isinstance(text, Problem):
        return text
    if "\0" in text:
        return Problem(path.name, "a null character is not text", "remove it", Mark(path, line))
    if '"' not in text:
        fields: Fields = [field or None for field in text.split(",")]
        return _lone_return(path, line) if "\r" in text else (line, fields)
    pieces = text.split('"')
    return _lone_return(path, line) if any("\r" in piece for piece in pieces[::2]) else (line, _fields(pieces))


def _lone_return(path: Path, line: int) -> Problem:
    return Problem(path.name, "a carriage return stands outside quotes", "end lines with LF or CRLF, or quote the value", Mark(path, line))


def _fields(pieces: Sequence[str]) -> Fields:
    """What a record holds, cut at every quote: pieces with an odd index stand inside quotes; an empty piece between two of them is
    an escaped quote."""
    result: Fields = []
    current, quoted = "", False
    for index, piece in enumerate(pieces):
        if index % 2:
            current, quoted = current + piece, True
        elif not piece and 0 < index < len(pieces) - 1:
            current += '"'
        else:
            first, *others = piece.split(",")
            current += first
            for other in others:
                result.append(current if current or quoted else None)
                current, quoted = other, False
    result.append(current if current or quoted else None)
    return result
