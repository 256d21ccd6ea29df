"""A scenario: a business state that can be asked for, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seeder.definition.extension import Gates
from seeder.errors import Mark

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Input:
    """A typed input; `default` of a required one is MISSING."""

    name: str
    type: Literal["string", "integer", "number", "boolean"]
    default: Value = None
    required: bool = False
    enum: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Expectation:
    """One observation that must hold, within a time limit (seconds).

    kind query: `store`, `query`, `parameters`, `equals` (a scalar, or rows as lists).
    kind http:  `service`, `method`, `path`, `status`, `equals` (a subset of the JSON body).
    kind event: `store`, `subject`, `where` (a subset of the payload), `at_least`.
    kind key:   `store`, `key`, `equals`, or `exists`.
    """

    kind: Literal["query", "http", "event", "key"]
    mark: Mark
    store: str = ""
    service: str = ""
    query: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    path: str = ""
    status: int = 200
    subject: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    at_least: int = 1
    key: str = ""
    exists: bool | None = None
    equals: Any = None
    compares: bool = False  # `equals` was written (it may be null)
    within: float = 5.0


@dataclass(frozen=True)
class DatasetRef:
    """`name` or `name@version`; a version may be a prefix (`3.2`)."""

    name: str
    version: str | None
    mark: Mark


@dataclass(frozen=True)
class Scenario:
    """Values may hold `${inputs.NAME}`; `bind` in this package fills them in."""

    name: str
    version: str
    stack: str
    path: Path
    description: str = ""
    owner: str | None = None
    tags: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    data: tuple[DatasetRef, ...] = ()
    expect: tuple[Expectation, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    gates: Gates = field(default_factory=Gates)
