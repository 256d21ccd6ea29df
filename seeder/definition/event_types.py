"""Reads the types of events that services publish: the files of `testdata/events`, one for each team."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seeder.definition.event import EventType
from seeder.definition.event_file import EventFile
from seeder.definition.validation import validated
from seeder.definition.yaml import load
from seeder.errors import Collector, DefinitionError, Problem
from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.definition.scenario import Scenario

FOLDER: Final = "events"  # beside the folder of scenarios
_NEAR: Final = 0.9  # how like a subject that is misspelt is to the right one
_OPEN: Final = frozenset("*>$")  # of a subject that stands for several, or refers to something


@frozen
class EventTypes:
    """What a project's files of events tell, and what is wrong with them."""

    known: tuple[EventType, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, stack: str) -> dict[str, EventType]:
        """Those of one stack, by name."""
        return {one.name: one for one in self.known if one.stack == stack}


def read_event_types(folder: Path) -> EventTypes:
    """Every type of the folder's files; a folder that does not exist has none."""
    problems, found = Collector(), dict[tuple[str, str], EventType]()
    for path in sorted(folder.glob("*.yaml")):
        for one in _of_file(path, problems):
            first = found.setdefault((one.stack, one.name), one)
            if first is not one:
                problems.add(one.name, f"stands in {first.mark} already", "rename one of them", one.mark)
    return EventTypes(tuple(found.values()), tuple(problems.problems))


def unheard(scenario: Scenario) -> Iterator[Problem]:
    """Expected events whose subject is nearly one that the project's files tell, or the scenario publishes to."""
    told = read_event_types(scenario.path.parent.parent / FOLDER).of(scenario.stack)
    subjects = sorted({*(one.subject for one in told.values()), *(event.subject for step in scenario.every for event in step.events)})
    expected = [
        *scenario.expect,
        *(one for step in scenario.every for one in step.expect),
        *chain.from_iterable(scenario.variants.values()),
    ]
    for one in expected:
        meant = difflib.get_close_matches(one.subject, subjects, n=1, cutoff=_NEAR)  # others publish, too, and need no file to do so
        if one.kind == "event" and one.subject not in subjects and not _OPEN & set(one.subject) and meant:
            yield Problem("expect event", f"no type of events has the subject {one.subject}", f"did you mean {meant[0]!r}?", one.mark)


def _of_file(path: Path, problems: Collector) -> list[EventType]:
    try:
        document = load(path)
    except DefinitionError as error:
        problems.problems += error.problems
        return []
    file = validated(EventFile, document.data, problems, mark=document.mark())
    if file is None:
        return []
    return [
        EventType(
            name, file.stack, item.subject, item.payload, document.mark(("types", name)), item.headers, file.owner or "", file.version
        )
        for name, item in file.types.items()
    ]
