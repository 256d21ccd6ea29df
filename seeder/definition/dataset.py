"""Datasets: versioned data at rest, and the files that they hold."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from seeder.definition.extension import Gates
from seeder.errors import Mark
from seeder.frozen import frozen

Kind = Literal["reference", "config", "golden", "fixture"]
Privacy = Literal["raw", "masked", "no-pii"]
PartKind = Literal["table", "sql", "keys", "messages", "mappings", "http", "environment", "files"]

TABLES: Final = ("csv", "jsonl", "yaml", "parquet")


@frozen
class Part:
    """One file of a dataset and what it is.

    `owner` is the store (table, sql, keys, messages, mappings) or the service (http, environment, files) it is for; `name` the
    table (`schema.table`), the file's stem, the path in the store's folder for mappings, or the absolute path inside the container
    for `files`.
    """

    kind: PartKind
    owner: str
    name: str
    path: Path
    format: str  # the file's ending: csv, jsonl, yaml, parquet, sql, http


@frozen
class Seed:
    """A program that loads: run once services are ready, with the environment's addresses, for so many seconds at most."""

    command: tuple[str, ...]
    within: float = 600.0
    inputs: tuple[str, ...] = ()  # globs of files that decide what it does, from the manifest's folder


@frozen
class Requirement:
    """What a dataset needs of a stack version or of a store's migrations; `wanted` as written (`>=2.3,<3`, `0003..`, `0003`)."""

    subject: str  # "stack" or a store
    wanted: str
    mark: Mark


@frozen
class Dataset:
    """One version of a dataset. Which part of a stack a file is for is known once the stack is: `parts`."""

    name: str
    version: str
    kind: Kind
    path: Path
    files: tuple[PurePosixPath, ...]  # its data files, relative to `path`, in the order of their names
    mark: Mark  # its entry in the manifest
    requires: tuple[Requirement, ...] = ()
    loads_at: tuple[Requirement, ...] = ()  # the revision of a store at which its rows go in; migrations then go over them
    natural_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # `store.table` -> columns, for upserts
    owner: str | None = None
    privacy: Privacy | None = None  # None is "not said"
    captured_at: datetime.datetime | None = None  # when it was taken from a running system
    seed: Seed | None = None
    gates: Gates = field(default_factory=Gates)

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def upserts(self) -> bool:
        """Reference and config data may be loaded again; golden data goes into empty tables."""
        return self.kind in ("reference", "config")


def data_files(folder: Path) -> tuple[PurePosixPath, ...]:
    """The data files below the folder, relative to it and sorted. Hidden files, README*, SHA256SUMS, pointer files (`*.dvc`) and the
    folder `gates` are none."""
    found = (PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return tuple(sorted(path for path in found if _is_data(path)))


def _is_data(path: PurePosixPath) -> bool:
    if any(part.startswith(".") for part in path.parts) or path.parts[0] == "gates":
        return False
    return not path.name.startswith("README") and path.name != "SHA256SUMS" and path.suffix != ".dvc"
