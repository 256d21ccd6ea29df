"""Reads the types of events that services publish: the files of `testdata/events`, one for each team."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from seeder.definition.event import EventType
from seeder.definition.event_file import EventFile
from seeder.definition.validation import validated
from seeder.definition.yaml import load
from seeder.errors import Collector, DefinitionError, Problem
from seeder.frozen import frozen

FOLDER: Final = "events"  # beside the folder of scenarios


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
