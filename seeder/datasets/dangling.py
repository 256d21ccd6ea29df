"""Keys in rows of datasets that lead to no row: beside which data they stand, files tell as far as files alone fill the tables."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from seeder.definition.dataset import Dataset, Part
from seeder.definition.stack import Column, Reference
from seeder.errors import DefinitionError, Mark, Problem
from seeder.passed.content import Table
from seeder.registry import LOADERS

TOLD = 3  # rows of one file that are named for one reference

Values = list[tuple[str, int]]  # of a column: each value, with its line


class Columns:
    """Columns of files, each read once: several scenarios load the same data."""

    def __init__(self, as_of: datetime.datetime) -> None:
        self._as_of = as_of
        self._known: dict[tuple[Path, str], Values | None] = {}

    def of(self, part: Part, column: str) -> Values | None:
        """None where the file has no such column, or cannot be read, which is told elsewhere."""
        wanted = part.path, column
        if wanted not in self._known:
            try:
                self._known[wanted] = _values(LOADERS.get(part.kind).read(part, self._as_of), column)
            except DefinitionError:
                self._known[wanted] = None
        return self._known[wanted]


def _values(table: object, column: str) -> Values | None:
    if not isinstance(table, Table) or column not in table.columns:
        return None
    place = table.columns.index(column)
    return [(str(row.values[place]), row.line) for row in table.rows() if row.values[place] not in (None, "")]


def keys(
    references: Collection[Reference], datasets: Sequence[Dataset], parts: Mapping[str, Sequence[Part]], columns: Columns
) -> Iterator[Problem]:
    """Values of referring columns that no row of the column that they refer to has, in any of the datasets that are loaded together."""
    every = [(dataset, part) for dataset in datasets for part in parts[dataset.label]]
    if any(dataset.seed for dataset in datasets):
        return  # a program may add any row
    scripted = {part.owner for _, part in every if part.kind == "sql"}
    for reference in references:
        targets = [columns.of(part, reference.target.column) or [] for _, part in every if _is_of(part, reference.target)]
        if not targets or reference.target.store in scripted:
            continue  # migrations and scripts fill tables, too
        there = {value for found in targets for value, _ in found}
        for dataset, part in every:
            if _is_of(part, reference.source):
                lost = (one for one in columns.of(part, reference.source.column) or () if one[0] not in there)
                yield from (_problem(reference, dataset, part, *one) for one in islice(lost, TOLD))


def _problem(reference: Reference, dataset: Dataset, part: Part, value: str, line: int) -> Problem:
    cause = f"{reference.source.column} {value} stands in no row of {reference.target} that is loaded with it"
    return Problem(dataset.label, cause, "write the key of a row that is there, or let steps make both", Mark(part.path, line))


def _is_of(part: Part, column: Column) -> bool:
    return part.kind == "table" and (part.owner, part.name) == (column.store, column.table)
