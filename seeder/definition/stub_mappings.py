"""Files of stub mappings, in WireMock's format: one mapping, or several under `mappings`. https://wiremock.org/docs/stubbing/"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from seeder.definition.marked import mark_of
from seeder.definition.scalars import SEEDER
from seeder.definition.yaml_composer import Composer
from seeder.errors import Collector, DefinitionError, Mark
from seeder.frozen import frozen

Place = Sequence[str | int]


@frozen
class Written:
    """A mapping as it stands in a file; `mark` tells where a part of it was written."""

    mapping: dict[str, Any]
    mark: Callable[[Place], Mark]


def read(path: Path, text: str | None = None) -> tuple[Written, ...]:
    """The mappings of a file in their order; `text` where the file stands elsewhere. Raises DefinitionError with all that keeps WireMock
    from reading it."""
    text = _text(path) if text is None else text
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise DefinitionError(path.name, f"this is not JSON: {error}", "write a mapping: {...}", Mark(path, line)) from error
    several = isinstance(data, dict) and "mappings" in data
    given = data["mappings"] if several else [data]
    problems = Collector()
    if not isinstance(given, list):
        problems.add(path.name, "`mappings` is no list", "write [{...}, ...]", _mark(path, text, ("mappings",)))
        given = []
    for number, mapping in enumerate(given):
        if not isinstance(mapping, dict):
            place = ("mappings", number) if several else ()
            problems.add(path.name, "a mapping is an object with `request` and `response`", "write {...}", _mark(path, text, place))
    problems.raise_if_any()
    return tuple(Written(mapping, _places(path, text, ("mappings", n) if several else ())) for n, mapping in enumerate(given))


def _places(path: Path, text: str, prefix: Place) -> Callable[[Place], Mark]:
    return lambda place: _mark(path, text, (*prefix, *place))


def _mark(path: Path, text: str, place: Place) -> Mark:
    """JSON is YAML, but for tabs between its words; what YAML cannot read all the same is told of the first line."""
    try:
        documents = list(Composer(path, text.replace("\t", " "), SEEDER).documents())
    except yaml.YAMLError:
        return Mark(path, 1)
    return (mark_of(documents[0], place) if documents else None) or Mark(path, 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError(path.name, f"the file cannot be read: {error.strerror or error}", mark=Mark(path, 1)) from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path.name, "the file is not UTF-8 text", "save it as UTF-8", Mark(path, 1)) from error
