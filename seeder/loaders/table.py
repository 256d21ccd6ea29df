"""Rows of a table, from CSV, JSON lines, YAML or Parquet."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from seeder.definition.dataset import Part, PartKind
from seeder.definition.marked import List, Map
from seeder.definition.yaml import load
from seeder.errors import DefinitionError, Mark, Problem, nearest
from seeder.loaders import _csv, _json, _mistakes, _parquet, _relative
from seeder.passed.content import Row, Table

Reading = tuple[tuple[str, ...], Callable[[], Iterator[Row | Problem]]]


class TableLoader:
    kind: PartKind = "table"

    def read(self, part: Part, as_of: datetime.datetime) -> Table:
        """The file has been read to its end once and is sound; its rows are read anew whenever they are asked for. Every row of a
        file has the same columns. Raises DefinitionError with all bad lines."""
        try:
            columns, records = _FORMATS[part.format](part.path)
            rows = functools.partial(_resolved, part, columns, records, as_of)
            _mistakes.refuse(part.path, (row for row in rows() if isinstance(row, Problem)))
        except OSError as error:
            raise _mistakes.unreadable(part.path, error) from error
        return Table(part, columns, functools.partial(_sound, rows))


def _sound(rows: Callable[[], Iterator[Row | Problem]]) -> Iterator[Row]:
    for row in rows():
        if isinstance(row, Problem):  # the file was changed after it was read
            raise DefinitionError.of([row])
        yield row


def _resolved(
    part: Part, columns: tuple[str, ...], records: Callable[[], Iterator[Row | Problem]], as_of: datetime.datetime
) -> Iterator[Row | Problem]:
    for row in records():
        yield row if isinstance(row, Problem) else _dated(part, columns, row, as_of)


def _dated(part: Part, columns: tuple[str, ...], row: Row, as_of: datetime.datetime) -> Row | Problem:
    if not any(isinstance(value, str) and value.startswith("as_of") for value in row.values):
        return row
    values = []
    for column, value in zip(columns, row.values, strict=True):
        try:
            values.append(_relative.resolve(value, as_of) if isinstance(value, str) else value)
        except ValueError as error:
            return Problem(f"{part.name}.{column}", str(error), mark=Mark(part.path, row.line))
    return Row(row.line, tuple(values))


def _jsonl(path: Path) -> Reading:
    first = next((found for found in _json.objects(path) if not isinstance(found, Problem)), None)
    columns = tuple(first[1]) if first else ()
    return columns, functools.partial(_of_objects, path, columns, functools.partial(_json.objects, path))


def _yaml(path: Path) -> Reading:
    items = load(path, top=List).data
    first = next((item for item in items if isinstance(item, Map)), None)
    columns = tuple(first) if first is not None else ()
    return columns, functools.partial(_of_objects, path, columns, functools.partial(_mappings, path))


def _mappings(path: Path) -> Iterator[tuple[int, Mapping[str, Any]] | Problem]:
    items = load(path, top=List).data
    for index, item in enumerate(items):
        mark = items.at(index)
        if isinstance(item, Map):
            yield mark.line, item
        else:
            yield Problem(path.name, "the item is no mapping of columns to values", "write `- {column: value}`", mark)


def _of_objects(
    path: Path, columns: tuple[str, ...], objects: Callable[[], Iterable[tuple[int, Mapping[str, Any]] | Problem]]
) -> Iterator[Row | Problem]:
    """Rows have their columns in the order of the first one's."""
    for found in objects():
        if isinstance(found, Problem):
            yield found
            continue
        line, given = found
        if given.keys() == set(columns):
            yield Row(line, tuple(_scalar(given[column]) for column in columns))
        else:
            yield _uneven(path, line, columns, given)


def _uneven(path: Path, line: int, columns: tuple[str, ...], given: Mapping[str, Any]) -> Problem:
    missing = [column for column in columns if column not in given]
    unknown = [column for column in given if column not in columns]
    lacks = f"lacks {', '.join(missing)}" if missing else ""
    adds = f"adds {', '.join(unknown)}" if unknown else ""
    cause = f"the row {' and '.join(filter(None, (lacks, adds)))}; the first row has other columns"
    remedy = "give every row the same columns; write null where a value is missing"
    return Problem(path.name, cause, nearest(unknown[0], missing) if missing and unknown else remedy, Mark(path, line))


def _scalar(value: Any) -> Any:
    return value if isinstance(value, Decimal) else _json.floats(value)


_FORMATS: Final[Mapping[str, Callable[[Path], Reading]]] = {"csv": _csv.read, "jsonl": _jsonl, "yaml": _yaml, "parquet": _parquet.read}
