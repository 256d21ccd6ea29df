"""Other keys for the rows of datasets in a system that others use, too: every run's are its own, and what leads from one row to another,
also across stores, leads there still. Pure.

A primary key gets another value, unless it follows the key of another row of the data; a unique text too. Texts begin with the run's
mark, numbers come from a range that is the run's, uuids are made of mark and old value. What leads to rows that are not part of the data
stays.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from seeder.definition.stack import RANGE, Column, Reference
from seeder.errors import Collector, DefinitionError, Mark, Problem
from seeder.frozen import frozen
from seeder.passed.content import Row, RowKeys, Table

RANGES: Final = {
    "bigint": (1 << 40, (1 << 53) - 1),
    "integer": (1 << 30, (1 << 31) - 1),
}  # type -> first number, last one; every JSON has those
TEXTS: Final = frozenset({"text", "character varying", "character", "citext"})
TRIES: Final = 16  # ranges that are looked at before it is given up
Place = tuple[str, str]  # store, table
Free = Callable[[Column, int, int], bool]  # whether no row has a number of this range


@frozen
class Sharing:
    """What of the system and of the run decides: references across stores, the run's mark, the columns that show it, ranges of numbers by
    column."""

    references: tuple[Reference, ...]
    mark: str
    shown: tuple[Column, ...] = ()
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Rekeying:
    """`files`: the tables, and how their rows are told. `new`: column -> old value -> new one, as texts; a number or uuid is one however
    it is written."""

    def __init__(self, files: Mapping[Place, tuple[Table, RowKeys]], shared: Sharing, free: Free) -> None:
        self._files, self._mark, self._ranges, self._free = files, shared.mark, shared.ranges, free
        self._leads = {reference.source: reference.target for reference in shared.references}
        problems = Collector()
        self._own = dict.fromkeys(column for place in sorted(files) for column in self._primary(place, problems))
        for place in sorted(files):
            self._own |= dict.fromkeys(self._unique(place, problems))
        self._own |= dict.fromkeys(column for column in shared.shown if self._shows(column))
        self.new = {column: self._values(column, problems) for column in self._own}
        problems.raise_if_any(DefinitionError)

    def table(self, place: Place) -> Table:
        """The table with its other keys."""
        table, _ = self._files[place]
        return replace(table, source=lambda: self._rows(place))

    def keys(self, place: Place) -> tuple[tuple[str, ...], list[list[str]]]:
        """The columns of its primary key, and their values, row by row."""
        table, keys = self._files[place]
        at = [table.columns.index(name) for name in keys.primary]
        return keys.primary, [[str(row.values[number]) for number in at] for row in self._rows(place)]

    def _rows(self, place: Place) -> Iterator[Row]:
        table, _ = self._files[place]
        roots = [self._root(Column(*place, name)) for name in table.columns]
        for row in table.rows():
            yield replace(row, values=tuple(self._instead(root, value) for root, value in zip(roots, row.values, strict=True)))

    def _instead(self, root: Column | None, value: Any) -> Any:
        """What becomes of a value that is one of the column's."""
        if value is None or root not in self.new:
            return value
        try:
            return self.new[root].get(_text(self._type(root), value), value)
        except ValueError:  # none of the column's; the database tells it
            return value

    # -- which columns ------------------------------------------------------------------------------------------------

    def _root(self, column: Column) -> Column | None:
        """The column of the data whose values it holds; itself where it leads nowhere; None where it leads out of the data."""
        seen = {column}
        while lead := self._lead(column):
            if (lead.store, lead.table) not in self._files:
                return None
            if lead in seen:  # round in circles: any of them is as good
                return min(seen)
            seen.add(lead)
            column = lead
        return column

    def _lead(self, column: Column) -> Column | None:
        if column in self._leads:
            return self._leads[column]
        _, keys = self._files[column.store, column.table]
        lead = keys.foreign.get(column.column)
        return Column(column.store, *lead) if lead else None

    def _primary(self, place: Place, problems: Collector) -> Iterator[Column]:
        table, keys = self._files[place]
        missing = [name for name in keys.primary if name not in table.columns]
        if missing or not keys.primary:
            cause = f"the file lacks {', '.join(missing)}" if missing else "the table has no primary key"
            problems.problems.append(self._wrong(place, f"{cause}, by which its rows would be taken back"))
            return
        columns = [Column(*place, name) for name in keys.primary]
        roots = {column: self._root(column) for column in columns}
        if any(root not in (None, column) for column, root in roots.items()):
            return  # it follows another row's
        drawn = [column for column in columns if roots[column] == column]
        own = [column for column in drawn if _kind(self._type(column))]
        if not own:
            cause = f"can be given no other value: {self._typed(drawn)}" if drawn else "is the key of rows that others use"
            problems.problems.append(self._wrong(place, f"{', '.join(keys.primary)} {cause}"))
            return
        yield own[0]

    def _unique(self, place: Place, problems: Collector) -> Iterator[Column]:
        table, keys = self._files[place]
        for names in keys.unique:
            columns = [Column(*place, name) for name in names if name in table.columns]
            if not columns or any(self._root(column) in self._own for column in columns):
                continue
            texts = [column for column in columns if self._root(column) == column and _kind(self._type(column)) in ("text", "uuid")]
            if texts:
                yield texts[0]
            elif not any(self._empty(column) for column in columns):
                problems.problems.append(self._wrong(place, f"{', '.join(names)} must be unique, and can be given no other value"))

    def _shows(self, column: Column) -> bool:
        """Whether it is a text of the data that may begin with the mark."""
        table, _ = self._files.get((column.store, column.table), (None, None))
        there = table is not None and column.column in table.columns and self._root(column) == column
        return there and _kind(self._type(column)) == "text"

    def _empty(self, column: Column) -> bool:
        return all(value is None for _, value in self._given(column))

    def _type(self, column: Column) -> str:
        _, keys = self._files[column.store, column.table]
        return keys.types[column.column]

    def _typed(self, columns: Sequence[Column]) -> str:
        return ", ".join(f"{column.column} is {self._type(column)}" for column in columns)

    # -- which values -------------------------------------------------------------------------------------------------

    def _given(self, column: Column) -> Iterator[tuple[int, Any]]:
        """Line and value."""
        table, _ = self._files[column.store, column.table]
        at = table.columns.index(column.column)
        yield from ((row.line, row.values[at]) for row in table.rows())

    def _texts(self, column: Column, problems: Collector) -> list[str]:
        """Its values, each once, as they are looked up."""
        place, kind, found = (column.store, column.table), self._type(column), dict[str, None]()
        for line, value in self._given(column):
            try:
                found |= {} if value is None else {_text(kind, value): None}
            except ValueError:
                problems.problems.append(self._wrong(place, f"{column.column} is {kind}, and {value!r} is none", "correct it", line))
        return list(found)

    def _values(self, column: Column, problems: Collector) -> dict[str, str]:
        given, kind = self._texts(column, problems), _kind(self._type(column))
        if kind == "number":
            return self._numbers(column, given, problems)
        if kind == "uuid":
            return {value: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._mark}/{column}/{value}")) for value in given}
        return {value: f"{self._mark}-{value}" for value in given}

    def _numbers(self, column: Column, given: Sequence[str], problems: Collector) -> dict[str, str]:
        old, place = sorted(map(int, given)), (column.store, column.table)
        first, last = self._ranges.get(str(column)) or RANGES.get(self._type(column), (0, -1))
        slots = (last - first + 1) // RANGE
        if old and old[-1] - old[0] >= RANGE:
            cause = f"numbers of {column.column} lie further apart than {RANGE}"
            problems.problems.append(self._wrong(place, cause))
            return {}
        for number in range(TRIES):
            digest = hashlib.sha256(f"{self._mark}/{column}/{number}".encode()).digest()
            low = first + int.from_bytes(digest[:8], "big") % max(1, slots) * RANGE
            if not old or (slots and self._free(column, low, low + RANGE - 1)):
                return {str(value): str(low + value - old[0]) for value in old}
        problems.problems.append(self._wrong(place, f"no range of numbers is free for {column.column}"))
        return {}

    def _wrong(self, place: Place, cause: str, remedy: str = "", line: int = 1) -> Problem:
        table, _ = self._files[place]
        remedy = remedy or "make such rows by a step: their rows cannot be told from others'"
        return Problem(f"{place[0]}.{place[1]}", cause, remedy, Mark(table.part.path, line))


def _kind(kind: str) -> str:
    """Of a column's type: `number`, `uuid` or `text`; empty where nobody knows which other values it may have."""
    if kind in ("smallint", "integer", "bigint"):
        return "number"
    return "uuid" if kind == "uuid" else "text" if kind.partition("(")[0] in TEXTS else ""


def _text(kind: str, value: Any) -> str:
    """The value as it is looked up: `7` of a number that is written `007`. Raises ValueError for one that a column of this type cannot
    have."""
    known = _kind(kind)
    return str(int(str(value))) if known == "number" else str(uuid.UUID(str(value))) if known == "uuid" else str(value)
