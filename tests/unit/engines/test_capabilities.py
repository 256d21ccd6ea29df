"""What each engine can do, and what it says when its driver or its embedded server is not installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seeder import protocols
from seeder.definition.service import Service
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.passed.target import Address, Target
from seeder.registry import ENGINES

CAPABILITIES = (
    "Embedded", "Initialises", "Loads", "Opens", "Queries", "Inspects", "Digests", "Saves", "Rewinds",
    "Settles", "LooksUp", "Streams", "Stands", "Narrow",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "able"),
    [
        (
            "postgres",
            {"Embedded", "Initialises", "Loads", "Opens", "Queries", "Inspects", "Digests", "Saves", "Rewinds", "Settles"},
        ),
        ("redis", {"Embedded", "Loads", "Opens", "Digests", "Saves", "Rewinds", "LooksUp"}),
        ("nats", {"Embedded", "Loads", "Digests", "Saves", "Rewinds", "Settles", "Streams"}),
        ("stub", {"Embedded", "Loads", "Digests", "Saves", "Rewinds", "Stands", "Narrow"}),
    ],
)
def test_an_engine_has_its_capabilities(name: str, able: set[str]) -> None:
    assert {capability for capability in CAPABILITIES if isinstance(ENGINES.get(name), getattr(protocols, capability))} == able


@pytest.mark.parametrize(
    ("name", "module", "work"),
    [
        ("postgres", "psycopg", lambda engine, target: engine.probe(target)),
        ("redis", "redis", lambda engine, target: engine.probe(target)),
        ("nats", "nats.errors", lambda engine, target: engine.messages(target, ">")),
    ],
)
def test_a_missing_driver_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, work: Callable[[Any, Target], object]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DefinitionError, match=rf"(?s)is not installed.*pip install 'seeder-env\[{name}\]'"):
        work(ENGINES.get(name), Target("store", name, name, Address("127.0.0.1", 1)))


@pytest.mark.parametrize("name", ["postgres", "redis", "nats"])
def test_a_missing_embedded_server_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def absent(package: str) -> None:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(importlib.metadata, "files", absent)
    engine: Any = ENGINES.get(name)
    with pytest.raises(EnvironmentFailed, match=r"(?s)is not installed.*pip install 'seeder-env\[local\]'"):
        engine.local(Service("it", Mark(Path("compose.yaml"), 1), image=name))
