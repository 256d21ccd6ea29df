"""The one YAML loader: safe, strict about duplicate keys, and every value remembers where it was written.

Two dialects differ in what they make of an unquoted scalar (scalars.py): SEEDER for seeder's own files (YAML 1.2), COMPOSE for
compose files. Mappings become `Map`, sequences `List` (marked.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from seeder.definition.marked import List, Map, mark_of
from seeder.definition.scalars import SEEDER, Dialect
from seeder.definition.yaml_composer import Composer
from seeder.errors import Collector, DefinitionError, Mark
from seeder.frozen import frozen

MOST_BYTES = 64 * 1024 * 1024


@frozen
class Document:
    """One YAML document. `data` is made of Map, List and scalars."""

    path: Path
    data: Any

    def mark(self, path: Sequence[str | int] = ()) -> Mark:
        """Where the value of this path was written, or the deepest part of the path that exists."""
        return mark_of(self.data, path) or Mark(self.path, 1)


def load(path: Path, dialect: Dialect = SEEDER, *, top: type[Map | List] = Map) -> Document:
    """Read a file of one document. Raises DefinitionError with all problems of the file: it cannot be read, is not YAML,
    repeats a key, holds several documents, is empty, or its top level is not a mapping (a sequence, when `top` is List)."""
    documents = load_all(path, dialect)
    kind = "a mapping" if top is Map else "a sequence"
    if not documents or documents[0].data is None:
        raise DefinitionError(path.name, f"the file is empty; {kind} is needed", mark=Mark(path, 1))
    if len(documents) > 1:
        raise DefinitionError(path.name, "the file holds several documents", "remove the `---` between them", documents[1].mark())
    if not isinstance(documents[0].data, top):
        raise DefinitionError(path.name, f"the top level of the file is not {kind}", mark=Mark(path, 1))
    return documents[0]


def load_all(path: Path, dialect: Dialect = SEEDER) -> list[Document]:
    """Read every document of a file; an empty file has none. Raises DefinitionError with all problems of the file."""
    text = _text(path)
    reader = Composer(path, text, dialect)
    try:
        documents = [Document(path, data) for data in reader.documents()]
    except yaml.YAMLError as error:
        reader.problems.problems.clear()  # what stands before the broken place was not read whole
        _add_syntax(reader.problems, path, error, text)
        documents = []
    reader.problems.raise_if_any()
    return documents


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DefinitionError(path.name, f"the file has {size:,} bytes; {MOST_BYTES:,} is the most", mark=Mark(path, 1))
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
        cause = getattr(error, "strerror", None) or str(error)
        raise DefinitionError(path.name, f"the file cannot be read: {cause}", mark=Mark(path, 1)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DefinitionError(path.name, "the file is not UTF-8 text", "save it as UTF-8", Mark(path, line)) from error


def _add_syntax(problems: Collector, path: Path, error: yaml.YAMLError, text: str) -> None:
    place = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = place.line + 1 if place else text.count("\n", 0, getattr(error, "position", 0)) + 1
    cause = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    lines = text.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())] if line <= len(lines) else ""
    remedy = "indent with spaces; YAML allows no tabs there" if "\t" in indent else "correct the line; what opens above it may lack its end"
    problems.add(path.name, f"this is not YAML: {cause}", remedy, Mark(path, min(line, max(1, len(lines)))))
