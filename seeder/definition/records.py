"""How many records a data file holds, counted without reading them; the loaders are who read them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_COPY = re.compile(rb"^COPY\s.+\sFROM\s+stdin\b", re.IGNORECASE)
_INSERT = re.compile(rb"^\s*INSERT\s+INTO\b", re.IGNORECASE)
_ITEM = re.compile(rb"^-(\s|$)")


def count(file: Path) -> int:
    """Records of a csv, jsonl, yaml (list), parquet or sql file (COPY lines, INSERT statements); 0 for others and for files that are
    absent."""
    if file.suffix == ".parquet":
        return _parquet(file)
    counter = _COUNTERS.get(file.suffix)
    if counter is None or not file.is_file():
        return 0
    with file.open("rb") as lines:
        return counter(iter(lines))


def _parquet(file: Path) -> int:
    """As the file's footer says; 0 where it cannot be read, which its loader tells."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        return int(parquet.read_metadata(file).num_rows)
    except (ImportError, OSError, ValueError):  # pyarrow's errors are among these
        return 0


def _csv(lines: Iterator[bytes]) -> int:
    """Rows after the header; a quoted field may hold line ends."""
    records, quoted = 0, False
    for line in lines:
        if line.strip() and not quoted:
            records += 1
        quoted ^= line.count(b'"') % 2 == 1
    return max(records - 1, 0)


def _jsonl(lines: Iterator[bytes]) -> int:
    return sum(1 for line in lines if line.strip())


def _yaml(lines: Iterator[bytes]) -> int:
    return sum(1 for line in lines if _ITEM.match(line))


def _sql(lines: Iterator[bytes]) -> int:
    records, copying = 0, False
    for line in lines:
        if copying:
            copying = line.rstrip(b"\r\n") != b"\\."
            records += copying
        elif _COPY.match(line):
            copying = True
        elif _INSERT.match(line):
            records += 1
    return records


_COUNTERS: Final[dict[str, Callable[[Iterator[bytes]], int]]] = {".csv": _csv, ".jsonl": _jsonl, ".yaml": _yaml, ".sql": _sql}
