"""From the database's refusal back to the file, line, column and value that earned it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from seeder.engines import _postgres_values as values
from seeder.engines._postgres_catalog import Constraint, Relation
from seeder.engines._postgres_connection import BLOCKED, driver, words
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.frozen import frozen
from seeder.passed.content import Row, Table

if TYPE_CHECKING:
    import psycopg

    from seeder.engines._postgres_connection import Connection

_UNIQUE, _FOREIGN, _CHECK, _NOT_NULL, _EXCLUSION = "23505", "23503", "23514", "23502", "23P01"
_LOCKED = "55P03"
_DATA = "22"  # class: data exceptions
_OF_SERVER = {"53", "57", "58"}  # classes: insufficient resources, operator intervention, system errors
_PLACE = re.compile(r"^COPY .*?, line (\d+)(?:, column (.+?)(?:: |$))?", re.MULTILINE)
_KEY = re.compile(r"Key \((.*?)\)=\((.*)\) ", re.DOTALL)
_SHOWN = 80  # characters of a value


@frozen
class Placed:
    """A table file and the table it is for."""

    table: Table
    relation: Relation

    def problem(self, line: int, column: str, cause: str, remedy: str = "") -> DefinitionError:
        return DefinitionError(
            f"{self.table.name}.{column}" if column else self.table.name, cause, remedy, Mark(self.table.part.path, line)
        )


def refusal(error: psycopg.Error, loaded: Sequence[Placed], current: Placed | None = None, row: Row | None = None) -> DefinitionError:
    """What to tell the user. `current` is the file that was being written, `row` its row when that is known already."""
    diag = error.diag
    if error.sqlstate == _LOCKED:
        return DefinitionError(current.relation.label if current else "the data", words(error), BLOCKED)
    placed, culprit = current, row
    place = _PLACE.search(diag.context or "")
    if placed and not culprit and place:
        culprit = next(itertools.islice(placed.table.rows(), int(place[1]) - 1, None), None)
    named = [p for p in loaded if p.relation.name == diag.table_name and p.relation.schema == diag.schema_name]
    if not culprit and (key := _KEY.search(diag.message_detail or "")):
        placed, culprit = _holder(named or loaded, key[1], key[2]) or (placed, None)
    placed = placed or (named[0] if named else None)
    if placed is None:
        return DefinitionError(diag.table_name or "the data", words(error))
    column = diag.column_name or (place[2] if place else None)
    return _told(error, placed, culprit, column)


def _told(error: psycopg.Error, placed: Placed, row: Row | None, column: str | None) -> DefinitionError:
    constraint = placed.relation.constraints.get(error.diag.constraint_name or "")
    key = _KEY.search(error.diag.message_detail or "")
    columns = [column] if column else list(constraint.columns) if constraint else key[1].split(", ") if key else []
    if error.sqlstate == _NOT_NULL and column not in placed.table.columns:
        remedy = f"add the column {column} to the file"
        return placed.problem(
            row.line if row else 1, column or "", "the file lacks the column, which must have a value and has no default", remedy
        )
    cause, remedy = _cause(error, constraint, placed)
    shown = _shown(placed, row, columns)
    subject = columns[0] if len(columns) == 1 else ""
    return placed.problem(row.line if row else 1, subject, f"{shown}{cause}", remedy)


def _cause(error: psycopg.Error, constraint: Constraint | None, placed: Placed) -> tuple[str, str]:
    name = error.diag.constraint_name or ""
    rule = f"{name}: {constraint.definition}" if constraint else name
    if error.sqlstate == _UNIQUE:
        return f"another row of {placed.relation.label} has the same ({rule})", "give one of the two another value, or leave it out"
    if error.sqlstate == _FOREIGN:
        return f"no such row is there to refer to ({rule})", "load that row too, or refer to one that is there"
    if error.sqlstate in {_CHECK, _EXCLUSION}:
        return f"this breaks {rule}" if name else words(error), "give a value that fits"
    if error.sqlstate == _NOT_NULL:
        return "the column must have a value (not null)", 'in CSV an empty text is written ""; an empty field is no value'
    return words(error), "give a value that the column takes" if (error.sqlstate or "")[:2] == _DATA else ""


def _shown(placed: Placed, row: Row | None, columns: Iterable[str]) -> str:
    if row is None:
        return ""
    cells = dict(zip(placed.table.columns, row.values, strict=True))
    pairs = [f"{name} = {_short(cells[name])}" for name in columns if name in cells]
    return f"{', '.join(pairs)}: " if pairs else ""


def _short(value: Any) -> str:
    text = "null" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _holder(candidates: Sequence[Placed], columns: str, found: str) -> tuple[Placed, Row] | None:
    """The last row whose values in these columns read as the database says."""
    for placed in candidates:
        names = [name.strip('"') for name in columns.split(", ")]
        if not set(names) <= set(placed.table.columns):
            continue
        places = [placed.table.columns.index(name) for name in names]
        renders = [values.renderer(placed.relation.columns[name], documents=False) for name in names]
        holder = None
        for row in placed.table.rows():
            texts = [render(row.values[place]) or "null" for place, render in zip(places, renders, strict=True)]
            if _alike(", ".join(texts), found):
                holder = row
        if holder:
            return placed, holder
    return None


def _alike(ours: str, theirs: str) -> bool:
    """The database writes 007 as 7 and uuids in small letters."""
    if ours == theirs or ours.lower() == theirs.lower():
        return True
    try:
        return float(ours) == float(theirs)
    except ValueError:
        return False


def narrowed(connection: Connection, work: Callable[[int], object], top: int, placed: Placed) -> None:
    """Do `work(top)`. When the database refuses it, find the line of the file up to which it can be done, and blame the next."""
    error = _attempt(connection, work, top)
    if error is None:
        return
    low, high = 0, top
    while high - low > 1:
        middle = (low + high) // 2
        refused = _attempt(connection, work, middle)
        low, high, error = (low, middle, refused) if refused else (middle, high, error)
    row = next((row for row in placed.table.rows() if row.line == high), None)
    raise refusal(error, [placed], placed, row) from error


def _attempt(connection: Connection, work: Callable[[int], object], upto: int) -> psycopg.Error | None:
    """Done for good when it succeeds for the last line; tried otherwise."""
    try:
        with connection.transaction():
            work(upto)
    except driver().Error as error:
        if is_servers(error):
            raise
        refused: psycopg.Error = error
        return refused
    return None


def is_servers(error: psycopg.Error) -> bool:
    """Whether no data is to blame: the connection broke, or the server was stopped or has no room left."""
    return error.sqlstate is None or error.sqlstate[:2] in _OF_SERVER


def lost(store: str, error: Exception) -> EnvironmentFailed:
    return EnvironmentFailed(store, f"the database did not go on: {words(error)}", "look at the database's log")
