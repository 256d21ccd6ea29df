"""Reads the steps of a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seeder.definition.event import EventType, Occurrence
from seeder.definition.event_types import FOLDER, EventTypes, read_event_types
from seeder.definition.expect_reader import expectations
from seeder.definition.references import NAME as ROOT
from seeder.definition.step import OWN, Step, Watch
from seeder.definition.step_file import EventsItem, EventuallyItem, OccurrenceItem, StepItem, UseItem
from seeder.definition.yaml import Document
from seeder.errors import Collector, nearest


def event_types(scenario: Path, items: Iterable[StepItem], problems: Collector) -> EventTypes:
    """The types of events that the project of the scenario's file tells, where one of its steps may name one; what is wrong with their
    files is wrong with the scenario, then."""
    if not any(isinstance(item, EventsItem) for item in items):
        return EventTypes()
    found = read_event_types(scenario.parent.parent / FOLDER)
    problems.problems += found.problems
    return found


def steps(
    key: str, items: Mapping[str, StepItem], types: Mapping[str, EventType], document: Document, problems: Collector
) -> tuple[Step, ...]:
    """Those of one key that are sound, in the order in which they are written."""
    reading = _Reading(types, document, problems)
    return tuple(reading.step(key, name, item) for name, item in items.items())


class _Reading:
    def __init__(self, types: Mapping[str, EventType], document: Document, problems: Collector) -> None:
        self._types, self._document, self._problems = types, document, problems

    def step(self, key: str, name: str, item: StepItem) -> Step:
        mark, written = self._document.mark((key, name)), self._document.data[key][name]
        if not ROOT.fullmatch(name):
            self._misnamed(f"{key}.{name}", name, "a step", (key, name))
        base: dict[str, Any] = {"after": tuple(item.after), "written": written}
        if isinstance(item, UseItem):
            return Step(name, mark, item.use, item.with_, item.for_each, item.count, through=bool(item.through), **base)
        if isinstance(item, EventuallyItem):
            seen, allowed = item.eventually, {field: tuple(values) for field, values in item.meanwhile.items()}
            return Step(name, mark, watch=Watch(seen.get, seen.path, seen.until, allowed, seen.within), **base)
        if isinstance(item, EventsItem):
            events = tuple(self._occurrence((key, name, "events"), *one) for one in item.events.items())
            return Step(name, mark, events=events, store=item.store or "", **base)
        return Step(name, mark, expect=expectations(item.expect, (key, name, "expect"), self._document), **base)

    def _occurrence(self, way: tuple[str, ...], name: str, item: OccurrenceItem) -> Occurrence:
        subject = ".".join((*way, name))
        if not ROOT.fullmatch(name) or name in OWN:
            self._misnamed(subject, name, "an event", (*way, name))
        kind = self._types.get(item.type) if item.type else None
        if item.type and kind is None:
            remedy = nearest(item.type, sorted(self._types)) if self._types else f"tell it in a file of testdata/{FOLDER}"
            self._problems.add(subject, f"there is no type of events {item.type}", remedy, self._document.mark((*way, name, "type")))
        headers = {**(kind.headers if kind else {}), **item.headers}
        return Occurrence(name, self._document.mark((*way, name)), kind.subject if kind else item.subject or "", item.with_, headers, kind)

    def _misnamed(self, subject: str, name: str, what: str, way: tuple[str, ...]) -> None:
        cause = f"{name!r} is not a name for {what}: nothing could refer to it"
        self._problems.add(subject, cause, "use letters, digits, _ and -, and begin with a letter", self._document.mark(way))
