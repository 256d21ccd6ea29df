"""Composes values from the parser's events, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionStartEvent, Event, MappingStartEvent, ScalarEvent, SequenceEndEvent

from seeder.definition.marked import List, Map, Override, Reset
from seeder.definition.scalars import Dialect
from seeder.errors import Collector, DefinitionError, Mark

try:
    from yaml._yaml import CParser as Parser
except ImportError:  # PyYAML was built without libyaml: the same events, more slowly
    from yaml import SafeLoader as Parser  # type: ignore[assignment]


MOST_DEPTH = 100
MOST_VALUES = 100_000  # by aliases; what is written out in full is limited by the size of the file


class Composer:
    """Of one file. What is wrong in it goes to `problems`."""

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
        if not self.dialect.other_tags:
            self.problems.add(str(tag), "the tag is not known here", "remove it", self._mark(event))
        return event.value if isinstance(event, ScalarEvent) else value
