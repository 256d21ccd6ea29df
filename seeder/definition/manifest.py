"""manifest.yaml: the index of a project and its version mapping."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seeder.definition.dataset import Dataset
from seeder.definition.scenario import Scenario
from seeder.errors import Mark


@dataclass(frozen=True)
class Defaults:
    stack: str | None = None
    runtime: str = "auto"
    policy: str | None = None
    seed: int = 42
    as_of: datetime.datetime = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class StackEntry:
    name: str
    version: str
    compose: tuple[Path, ...]
    profiles: tuple[str, ...] = ()
    mark: Mark | None = None


@dataclass(frozen=True)
class Policy:
    """What data an environment of some kind may hold: dataset kinds, most rows, least privacy, greatest age (seconds)."""

    name: str
    sources: tuple[str, ...] = ()  # empty: any
    rows: int | None = None
    privacy: str | None = None  # no-pii, masked or strict
    max_age: float | None = None


@dataclass(frozen=True)
class Manifest:
    """A project as its manifest.yaml tells it, with datasets and scenarios read."""

    project: str
    root: Path
    path: Path
    defaults: Defaults
    stacks: Mapping[str, StackEntry]
    datasets: Mapping[str, tuple[Dataset, ...]]  # by name; several versions, newest first
    scenarios: Mapping[str, Scenario]
    policies: Mapping[str, Policy] = field(default_factory=dict)
