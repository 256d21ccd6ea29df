"""A database's mark: what it held at a moment, and what of that has to be known to find and undo what came later.

Rows lie in one file per table, each line as COPY writes it, after the place (ctid) of the row: a row that is old and in its place is
untouched, whatever its key. The index of the mark is written once. Where rows had to be put back they have other places since; that
newer view is written beside it when the connection is closed, and either of the two holds by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.engines._postgres_news import Reference
from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import atomic
from seeder.passed.rewound import NO_MARK

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

FORMAT = 1
MARK, SINCE = "mark.json", "since.json"
MOST_ROWS = 50_000  # of a table that can be given back in place; beyond that a copy of the database is quicker

Rows = dict[bytes, bytes]  # place -> line


@frozen
class _Relation:
    oid: int
    schema: str
    name: str

    @property
    def label(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        return quoted(self.schema, self.name)


@frozen
class Table(_Relation):
    """`storage` is the number of its file on disk; `quiet`: triggers and rules of the table can be kept silent."""

    columns: tuple[str, ...]
    count: int
    storage: int
    quiet: bool
    file: str = ""


@frozen
class View(_Relation):
    """A materialised view with its content as a hash."""

    count: int
    storage: int
    content: str


@frozen
class Sequence(_Relation):
    last: int
    called: bool


@frozen
class Mark:
    """`scanned` is false where looking at all rows would take longer than a copy; then only a swap brings the state back."""

    server: str  # the number that initdb gave it
    reference: Reference
    superuser: bool
    scanned: bool = True
    outside: dict[str, Any] = field(default_factory=dict)
    catalogues: dict[str, int] = field(default_factory=dict)
    schema: dict[str, str] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    objects: tuple[int, ...] | None = ()  # large ones; None: they cannot be given back one by one

    def with_storage(self, found: dict[int, int]) -> Mark:
        """The same with other files on disk."""
        tables = tuple(replace(table, storage=found.get(table.oid, table.storage)) for table in self.tables)
        return replace(self, tables=tables, views=tuple(replace(view, storage=found.get(view.oid, view.storage)) for view in self.views))


def quoted(*names: str) -> str:
    """The identifier as the driver writes it."""
    from psycopg import sql

    return sql.Identifier(*names).as_string(None)


def write(folder: Path, mark: Mark, name: str) -> None:
    """In one step; readable by its owner alone, since it holds hashes of passwords."""
    atomic.write(folder / name, json.dumps({"engine": "postgres", "format": FORMAT, **asdict(mark)}, ensure_ascii=False))


def read(folder: Path, name: str = MARK) -> Mark:
    """Raises EnvironmentFailed when there is none."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        made = (found.pop("engine"), found.pop("format"))
        parts: dict[str, Any] = {
            "reference": Reference(**found["reference"]),
            "tables": tuple(Table(**{**table, "columns": tuple(table["columns"])}) for table in found["tables"]),
            "views": tuple(View(**view) for view in found["views"]),
            "sequences": tuple(Sequence(**sequence) for sequence in found["sequences"]),
            "objects": None if found["objects"] is None else tuple(found["objects"]),
        }
        mark = Mark(**{**found, **parts})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFailed(str(folder), f"no state was marked there: {error}", NO_MARK) from error
    if made != ("postgres", FORMAT):
        raise EnvironmentFailed(str(folder), f"it was marked by {made[0]} in format {made[1]}", "use the seeder that marked it")
    return mark


def lines(rows: Iterable[bytes]) -> Rows:
    """Rows by their places."""
    return {place: line for place, _, line in (row.partition(b"\t") for row in rows)}


def load(folder: Path, table: Table) -> Rows:
    return lines((folder / table.file).read_bytes().splitlines(keepends=True))


def save(folder: Path, name: str, rows: Rows) -> None:
    (folder / name).write_bytes(b"".join(b"%b\t%b" % row for row in rows.items()))


def copied(connection: Connection, table: Table, condition: str = "") -> list[bytes]:
    """The table's rows after their places, as COPY writes them."""
    columns = ", ".join(["ctid", *map(quoted, table.columns)])
    statement = f"copy (select {columns} from only {table.sql} {condition}) to stdout"  # noqa: S608  (names are quoted)
    with connection.cursor().copy(statement.encode()) as stream:
        return b"".join(bytes(block) for block in stream).splitlines(keepends=True)
