"""Datasets: versioned data at rest. The path of a file says where its rows go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from seeder.definition.extension import Gates
from seeder.errors import Mark

Kind = Literal["reference", "config", "golden", "recipe", "fixture"]
PartKind = Literal["table", "sql", "keys", "messages", "http", "environment", "files"]


@dataclass(frozen=True)
class Part:
    """One file of a dataset and what it is.

    `owner` is the store (table, sql, keys, messages) or the service (http, environment, files) it is for; `name` the
    table (`schema.table`), the stream's file stem, or the path inside the container for `files`.
    """

    kind: PartKind
    owner: str
    name: str
    path: Path
    format: str  # the file's ending: csv, jsonl, yaml, parquet, sql, http


@dataclass(frozen=True)
class Seed:
    """A program that loads: run once services are ready, with the environment's addresses."""

    command: tuple[str, ...]
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """What a dataset needs of a stack version or of a store's migration head; `wanted` as written (`>=2.3,<3`, `0003..`)."""

    subject: str  # "stack" or a store
    wanted: str
    mark: Mark


@dataclass(frozen=True)
class Dataset:
    name: str
    version: str
    kind: Kind
    path: Path
    parts: tuple[Part, ...]
    mark: Mark  # its entry in the manifest
    requires: tuple[Requirement, ...] = ()
    natural_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # `store.table` -> columns, for upserts
    owner: str | None = None
    privacy: str | None = None  # raw, masked, no-pii; None is "not said"
    seed: Seed | None = None
    gates: Gates = field(default_factory=Gates)

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def upserts(self) -> bool:
        """Reference and config data may be loaded again; golden data goes into empty tables."""
        return self.kind in ("reference", "config")
