"""What an environment is checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition.dataset import Requirement
from seeder.definition.expectation import Expectation
from seeder.definition.extension import Gates
from seeder.definition.stack import Reference
from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.passed.content import TableInfo


@frozen
class Revision:
    """One step of a migration history. `content` tells what it does (a digest) where the bytes of its file alone do not: one of several
    in a file, or one with a file beside it."""

    id: str
    file: Path
    summary: str = ""
    content: str = ""


def head(revisions: Sequence[Revision]) -> str:
    """The id of the last one; nothing when there are none."""
    return revisions[-1].id if revisions else ""


@frozen
class LoadedTable:
    """A table file that was loaded: the rows and columns it should have left in its store."""

    dataset: str
    store: str
    table: str
    columns: tuple[str, ...]
    rows: int
    file: Path


@frozen
class Migrated:
    """A store right after it was migrated: the last revision that was applied, and its tables by name."""

    head: str
    tables: Mapping[str, TableInfo]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Migrated:
        """As `dataclasses.asdict` wrote it down."""
        return cls(given["head"], {name: _table(table) for name, table in given["tables"].items()})


def _table(given: Mapping[str, Any]) -> TableInfo:
    from seeder.passed.content import ColumnInfo, TableInfo

    columns = tuple(ColumnInfo(**column) for column in given["columns"])
    return TableInfo(**{**given, "columns": columns, "key": tuple(given["key"])})


@frozen
class Fitness:
    """What gates check a world against."""

    revisions: Mapping[str, tuple[Revision, ...]]  # store -> its history
    tables: tuple[LoadedTable, ...] = ()
    migrated: Mapping[str, Migrated] = field(default_factory=dict)  # store -> as migrations left it, where its engine can tell
    gates: tuple[tuple[str, Gates], ...] = ()  # (who declared it, what)
    references: tuple[Reference, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    required: tuple[tuple[str, Requirement], ...] = ()  # (dataset, what it asks of a store), of a system whose stores are where they are
