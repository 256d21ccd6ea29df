"""How rows become files: CSV by COPY's rules, JSON lines, instants before and after `as_of`."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def pick(choices: Sequence[T], *key: object) -> T:
    """One of `choices`, by key: what else is picked before or after makes no difference."""
    return choices[number(len(choices), *key)]


def number(below: int, *key: object) -> int:
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % below


def ago(hours: int) -> str:
    """`as_of-3d2h`; a negative number lies ahead."""
    days, rest = divmod(abs(hours), 24)
    shift = (f"{days}d" if days else "") + (f"{rest}h" if rest else "") or "0h"
    return f"as_of{'-' if hours >= 0 else '+'}{shift}"


def days_ago(hours: int) -> str:
    """The same for a date: whole days."""
    return f"as_of-{hours // 24}d" if hours >= 0 else f"as_of+{-hours // 24}d"


class Dataset:
    """Rows by table and lines by file, in the order in which they were added."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.lines: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, **row: Any) -> None:
        """A row of `store/table`; all rows of a table have the same columns."""
        self.tables[table].append(row)

    def line(self, file: str, **line: Any) -> None:
        self.lines[file].append(line)

    def write(self, folder: Path) -> None:
        for table, rows in self.tables.items():
            text = [",".join(rows[0])] + [",".join(map(field, row.values())) for row in rows]
            save(folder / f"{table}.csv", text)
        for file, lines in self.lines.items():
            save(folder / f"{file}.jsonl", [json.dumps(line, ensure_ascii=False) for line in lines])


def save(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def field(value: Any) -> str:
    """NULL is an empty field, an empty text a quoted one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if not text or any(c in text for c in ',"\r\n') else text
