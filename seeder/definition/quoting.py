"""Scalars of a compose file that compose reads as something else than they look like, because they stand without quotes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from seeder.definition.scalars import COMPOSE, as_text
from seeder.errors import Mark, Problem

TEXT: Final = frozenset({"environment", "labels", "annotations", "args", "command", "entrypoint"})  # below these keys text is meant

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser that read the file: the other one takes less


def unquoted(file: Path) -> Iterator[Problem]:
    """One hint for each place. The file is one that was read before."""
    seen: set[int] = set()
    roots = yaml.compose_all(file.read_text(encoding="utf-8-sig"), Loader=_LOADER)
    for path, node in (found for root in roots for found in _scalars(root, (), seen)):
        value = COMPOSE.plain(node.value)
        if value is not None and as_text(value) != node.value and TEXT.intersection(path):
            cause = f"compose reads {node.value} as {as_text(value)}"
            yield Problem(".".join(path), cause, f'quote it: "{node.value}"', Mark(file, node.start_mark.line + 1))


def _scalars(node: yaml.Node, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    """Scalars without quotes and tags, each once, however many aliases lead to it."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)), seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _scalars(value, (*path, str(number)), seen)
    elif isinstance(node, yaml.ScalarNode) and not node.style and not node.tag.endswith(":str"):
        yield path, node
