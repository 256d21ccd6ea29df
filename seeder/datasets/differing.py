"""What differs between two datasets, by store and table, key by key. Reads files alone; their tables' keys stand in no file, so that rows
are told apart by `id`, where they have one, and else as a whole."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from seeder import fingerprint
from seeder.definition.dataset import TABLES, Part, data_files
from seeder.frozen import frozen
from seeder.passed.content import Table
from seeder.registry import LOADERS

Row = Mapping[str, Any]


@frozen
class Difference:
    """Of one file: rows by key (or as a whole) that are `added` and `removed`, and key -> column -> (before, after) of those that
    `changed`. `whole`: it has no rows, and is another file."""

    store: str
    name: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]] | None = None
    whole: str = ""  # added, removed, changed

    def as_json(self) -> dict[str, Any]:
        rows = {"added": list(self.added), "removed": list(self.removed), "changed": self.changed or {}}
        return {"store": self.store, "name": self.name, **({"file": self.whole} if self.whole else rows)}


def compare(before: Path, after: Path, as_of: datetime.datetime) -> list[Difference]:
    """Everything that differs between the data files below two folders. Raises DefinitionError with all bad lines of a file."""
    old, new = data_files(before), data_files(after)
    found = [_compared(path, before if path in old else None, after if path in new else None, as_of) for path in sorted({*old, *new})]
    return [one for one in found if one]


def _compared(path: PurePosixPath, before: Path | None, after: Path | None, as_of: datetime.datetime) -> Difference | None:
    store, name = str(path.parent), path.name
    old, new = ((folder / path if folder else None) for folder in (before, after))
    if old and new and fingerprint.content(old) == fingerprint.content(new):
        return None
    if path.suffix.removeprefix(".") not in TABLES or "files" in path.parts[1:2] or name == "environment.yaml":
        return Difference(store, name, whole="changed" if old and new else "added" if new else "removed")
    return _rows(store, path.stem, list(_read(old, as_of)), list(_read(new, as_of)))


def _read(path: Path | None, as_of: datetime.datetime) -> Iterator[Row]:
    if path is None:
        return
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (json.loads(line) for line in lines if line.strip())
        return
    part = Part("table", path.parent.name, path.stem, path, path.suffix.removeprefix("."))
    table = LOADERS.get("table").read(part, as_of)
    if isinstance(table, Table):
        yield from (dict(zip(table.columns, row.values, strict=True)) for row in table.rows())


def _rows(store: str, name: str, old: Sequence[Row], new: Sequence[Row]) -> Difference | None:
    by = next((key for key in ("id", "key") if all(key in row for row in (*old, *new))), None)
    if by is None or any(len({_text(row[by]) for row in rows}) < len(rows) for rows in (old, new)):
        gone, come = Counter(map(_text, old)), Counter(map(_text, new))
        found = Difference(store, name, tuple((come - gone).elements()), tuple((gone - come).elements()))
        return found if found.added or found.removed else None
    was, now = ({_text(row[by]): row for row in rows} for rows in (old, new))
    added, removed = tuple(key for key in now if key not in was), tuple(key for key in was if key not in now)
    changed = {key: differing for key in was if key in now and (differing := _columns(was[key], now[key]))}
    return Difference(store, name, added, removed, changed) if added or removed or changed else None


def _columns(was: Row, now: Row) -> dict[str, tuple[Any, Any]]:
    return {name: (was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
