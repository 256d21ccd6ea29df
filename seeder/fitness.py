"""What an environment is checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seeder.definition.extension import Gates
from seeder.definition.scenario import Expectation
from seeder.definition.stack import Reference


@dataclass(frozen=True)
class Revision:
    """One step of a migration history."""

    id: str
    file: Path
    summary: str = ""


@dataclass(frozen=True)
class LoadedTable:
    """A table file that was loaded: the rows and columns it should have left in its store."""

    dataset: str
    store: str
    table: str
    columns: tuple[str, ...]
    rows: int
    file: Path


@dataclass(frozen=True)
class Fitness:
    """What gates check a world against."""

    revisions: Mapping[str, tuple[Revision, ...]]  # store -> its history
    tables: tuple[LoadedTable, ...] = ()
    gates: tuple[tuple[str, Gates], ...] = ()  # (who declared it, what)
    references: tuple[Reference, ...] = ()
    expectations: tuple[Expectation, ...] = ()
