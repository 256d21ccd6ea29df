"""The one YAML loader: safe, strict about duplicate keys, and every value remembers where it was written.

Two dialects differ in what they make of an unquoted scalar (scalars.py): SEEDER for seeder's own files (YAML 1.2), COMPOSE for
compose files. Mappings become `Map`, sequences `List`, a dict and a list that carry a mark for each of their entries, so that
places survive merging and can be asked for with the path of a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionStartEvent, Event, MappingStartEvent, ScalarEvent, SequenceEndEvent

from seeder.definition.scalars import COMPOSE, SEEDER, Dialect
from seeder.errors import Collector, DefinitionError, Mark

try:
    from yaml._yaml import CParser as Parser
except ImportError:  # PyYAML was built without libyaml: the same events, more slowly
    from yaml import SafeLoader as Parser  # type: ignore[assignment]

__all__ = ["COMPOSE", "SEEDER", "Document", "List", "Map", "Override", "Reset", "load", "load_all", "mark_of"]

MOST_BYTES = 64 * 1024 * 1024
MOST_DEPTH = 100
MOST_VALUES = 100_000  # by aliases; what is written out in full is limited by the size of the file


class Map(dict[str, Any]):
    """A mapping that knows where it begins (`mark`) and where each of its keys was written (`marks`)."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark, items: Mapping[str, Any] | None = None, marks: Mapping[str, Mark] | None = None) -> None:
        super().__init__(items or {})
        self.mark = mark
        self.marks = dict(marks or {})

    def put(self, key: str, value: Any, mark: Mark) -> None:
        self[key] = value
        self.marks[key] = mark

    def at(self, key: str) -> Mark:
        """Where the key was written; the mapping's own place when it has no such key."""
        return self.marks.get(key, self.mark)


class List(list[Any]):
    """A sequence that knows where it begins (`mark`) and where each of its items was written (`marks`)."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark, items: Sequence[Any] = (), marks: Sequence[Mark] = ()) -> None:
        super().__init__(items)
        self.mark = mark
        self.marks = list(marks)

    def put(self, value: Any, mark: Mark) -> None:
        self.append(value)
        self.marks.append(mark)

    def at(self, index: int) -> Mark:
        return self.marks[index] if index < len(self.marks) else self.mark


class Reset:
    """`!reset`: the value is taken away from what it is merged over."""


@dataclass(frozen=True)
class Override:
    """`!override`: the value replaces what it is merged over."""

    value: Any


@dataclass(frozen=True)
class Document:
    """One YAML document. `data` is made of Map, List and scalars."""

    path: Path
    data: Any

    def mark(self, path: Sequence[str | int] = ()) -> Mark:
        """Where the value of this path was written, or the deepest part of the path that exists."""
        return mark_of(self.data, path) or Mark(self.path, 1)


def mark_of(data: Any, path: Sequence[str | int]) -> Mark | None:
    """Where the value of this path was written, or the deepest part of it that exists. None when `data` holds no marks."""
    mark = getattr(data, "mark", None)
    for part in path:
        in_map = isinstance(data, Map) and part in data
        if in_map or (isinstance(data, List) and isinstance(part, int) and part < len(data)):
            mark, data = data.at(part), data[part]
    return mark


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
    reader = _Reader(path, text, dialect)
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
    remedy = "indent with spaces; YAML allows no tabs there" if "\t" in indent else ""
    problems.add(path.name, f"this is not YAML: {cause}", remedy, Mark(path, min(line, max(1, len(lines)))))


class _Reader:
    """Composes data from the parser's events, in one pass."""

    def __init__(self, path: Path, text: str, dialect: Dialect) -> None:
        self.path = path
        self.dialect = dialect
        self.parser: Any = Parser(text)
        self.problems = Collector()
        self.anchors: dict[str, tuple[Any, int]] = {}  # name -> value and how many values are in it
        self.open_anchors: list[str] = []
        self.depth = 0
        self.values = 0  # of the document, aliases counted as if they were written out
        self.aliased = 0
        self.line_marks: dict[int, Mark] = {}

    def documents(self) -> Iterator[Any]:
        self.parser.get_event()  # the stream's start
        while self.parser.check_event(yaml.DocumentStartEvent):
            self.parser.get_event()
            self.anchors.clear()
            self.values = self.aliased = 0
            yield self._value(self.parser.get_event())
            self.parser.get_event()  # the document's end

    def _mark(self, event: Event) -> Mark:
        start: Any = event.start_mark
        line: int = start.line
        if line not in self.line_marks:
            self.line_marks[line] = Mark(self.path, line + 1)
        return self.line_marks[line]

    def _value(self, event: Event) -> Any:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self.values += 1
        anchor: str | None = event.anchor  # type: ignore[attr-defined]
        before = self.values
        if anchor is not None:
            self.open_anchors.append(anchor)
        value = self._scalar(event) if isinstance(event, ScalarEvent) else self._collection(event)
        if anchor is not None:
            self.open_anchors.pop()
            self.anchors[anchor] = (value, self.values - before + 1)
        return value

    def _alias(self, event: AliasEvent) -> Any:
        name, mark = event.anchor, self._mark(event)
        if name in self.open_anchors:
            self.problems.add(f"*{name}", "the alias stands inside the value that it names", "write the value out", mark)
            return None
        if name not in self.anchors:
            self.problems.add(f"*{name}", "there is no such anchor before this place", f"mark a value with &{name}", mark)
            return None
        value, size = self.anchors[name]
        self.values += size
        self.aliased += size
        if self.aliased > MOST_VALUES:
            raise DefinitionError(f"*{name}", f"the aliases of this file stand for more than {MOST_VALUES:,} values", mark=mark)
        return value

    def _collection(self, event: Event) -> Any:
        if self.depth >= MOST_DEPTH:
            raise DefinitionError(self.path.name, f"values are nested more than {MOST_DEPTH} deep", mark=self._mark(event))
        if not isinstance(event, CollectionStartEvent):
            raise TypeError(event)
        self.depth += 1
        value = self._map(event) if isinstance(event, MappingStartEvent) else self._list(event)
        self.depth -= 1
        return self._tagged(event.tag, event, value)

    def _list(self, event: Event) -> List:
        result = List(self._mark(event))
        while not isinstance(item := self.parser.get_event(), SequenceEndEvent):
            value = self._value(item)
            if not isinstance(value, Reset):
                result.put(value, self._mark(item))
        return result

    def _map(self, event: Event) -> Map:
        result = Map(self._mark(event))
        merged: list[Map] = []
        seen: dict[str, Mark] = {}
        while not isinstance(item := self.parser.get_event(), yaml.MappingEndEvent):
            mark = self._mark(item)
            merges = isinstance(item, ScalarEvent) and item.value == "<<" and item.implicit[0]
            key = self._key(item, mark)
            value = self._value(self.parser.get_event())
            if key in seen:
                self.problems.add(key, f"the key is repeated; it stands in line {seen[key].line} already", "keep one of them", mark)
                continue
            seen[key] = mark
            if merges:
                merged += self._merged(value, mark)
            else:
                result.put(key, value, mark)
        for base in merged:  # earlier ones win, and what is written here wins over all
            for key, value in base.items():
                if key not in result:
                    result.put(key, value, base.at(key))
        return result

    def _merged(self, value: Any, mark: Mark) -> list[Map]:
        bases = value if isinstance(value, List) else [value]
        if all(isinstance(base, Map) for base in bases):
            return list(bases)
        self.problems.add("<<", "only mappings can be merged", "name an anchor of a mapping, or a list of them", mark)
        return []

    def _key(self, event: Event, mark: Mark) -> str:
        value = self._value(event)
        if isinstance(event, ScalarEvent) and (self.dialect.text_keys or isinstance(value, str)):
            return str(event.value)
        if isinstance(value, str):
            return value
        written = str(event.value) if isinstance(event, ScalarEvent) else "?"
        self.problems.add(written or "null", "a key must be text", f'write it in quotes: "{written}"', mark)
        return written

    def _scalar(self, event: ScalarEvent) -> Any:
        tag = event.tag
        if "\0" in event.value:
            self.problems.add(self.path.name, "a null character is not text", "remove it", self._mark(event))
        if tag is None:
            text: str = event.value
            return self.dialect.plain(text) if event.implicit[0] else text
        if tag.startswith("tag:yaml.org,2002:"):
            try:
                return self.dialect.tagged(tag.rpartition(":")[2], event.value)
            except ValueError as error:
                self.problems.add(event.value, str(error), mark=self._mark(event))
                return event.value
        return self._tagged(tag, event, self.dialect.plain(event.value))

    def _tagged(self, tag: str | None, event: Event, value: Any) -> Any:
        if tag in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            return value
        if self.dialect.merge_tags and tag == "!reset":
            return Reset()
        if self.dialect.merge_tags and tag == "!override":
            return Override(value)
        if not self.dialect.merge_tags:
            self.problems.add(str(tag), "the tag is not known here", "remove it", self._mark(event))
        return event.value if isinstance(event, ScalarEvent) else value
