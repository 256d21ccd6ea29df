"""Generators that a package brings are told by its version and by its files: an installed one may be edited in its place."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path

import pytest

from seeder.definition.stack import Stack
from seeder.generators import found

WORDS = """
from dataclasses import dataclass
from seeder import Context, generator

@dataclass
class Made:
    id: int

@generator("offered.make", version="1", owner="a-team")
def make(ctx: Context) -> Made:
    return Made(1)
"""


@pytest.mark.parametrize("layout", ["package/__init__.py", "package/deep/offer.py", "space/offer.py", "alone.py"])
def test_an_edited_package_offers_another_capability(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    path = tmp_path / "edited" / layout
    path.parent.mkdir(parents=True)
    beside = path.with_name("beside.py") if "/" in layout else path
    if "deep" in layout:
        beside = path.parents[1] / "__init__.py"
        (path.parent / "__init__.py").touch()
    beside.touch()
    path.write_text(WORDS)
    monkeypatch.syspath_prepend(str(tmp_path / "edited"))
    name = ".".join(Path(layout).with_suffix("").parts).removesuffix(".__init__")
    entry = importlib.metadata.EntryPoint("offered", name, found.GROUP)
    monkeypatch.setattr(found, "offered", lambda _: [entry])
    stack = Stack("shop", "1", tmp_path, (), {}, {})
    try:
        before = found.of(stack)["offered.make"].capability.digest
        assert found.of(stack)["offered.make"].capability.digest == before
        (tmp_path / "edited/other.py").write_text("")  # nobody's
        assert found.of(stack)["offered.make"].capability.digest == before
        beside.write_text(beside.read_text() + "# edited\n")
        assert found.of(stack)["offered.make"].capability.digest != before
    finally:
        for module in [one for one in sys.modules if one.partition(".")[0] == name.partition(".")[0]]:
            del sys.modules[module]
