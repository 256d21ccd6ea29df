"""Table files in Parquet, read by pyarrow in batches."""

from __future__ import annotations

import datetime
import functools
import importlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seeder.errors import DefinitionError, Mark, Problem
from seeder.passed.content import Row


def read(path: Path) -> tuple[tuple[str, ...], Callable[[], Iterator[Row | Problem]]]:
    """The columns of the file's schema, and what reads its rows; a row's `line` is its number, from 1."""
    columns = tuple(str(name) for name in _open(path).schema_arrow.names)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise DefinitionError(path.name, f"the file holds column {', '.join(twice)} twice", "name every column once", Mark(path, 1))
    return columns, functools.partial(_rows, path)


def _open(path: Path) -> Any:
    try:
        lib: Any = importlib.import_module("pyarrow.lib")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        cause = "reading Parquet needs the package pyarrow"
        raise DefinitionError(path.name, cause, "pip install 'seeder-env[parquet]'", Mark(path, 1)) from error
    try:
        return parquet.ParquetFile(path)
    except lib.ArrowException as error:
        raise DefinitionError(path.name, f"this is not Parquet: {error}", mark=Mark(path, 1)) from error


def _rows(path: Path) -> Iterator[Row]:
    number = 0
    with _open(path) as file:
        for batch in file.iter_batches():
            columns = [column.to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                number += 1
                yield Row(number, tuple(_value(value) for value in values))


def _value(value: Any) -> Any:
    """As the other table formats would give it: what JSON has no word for is text."""
    if isinstance(value, datetime.date | datetime.time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime.timedelta):
        return f"{value.total_seconds():f} seconds"
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list) else value
