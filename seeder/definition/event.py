"""Events that services publish: their types, and sequences of them as steps of scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from seeder.errors import Mark
from seeder.frozen import frozen


@frozen
class EventType:
    """A type of events of one stack. `owner`: the team that publishes it; `payload`: a JSON Schema (2020-12)."""

    name: str
    stack: str
    subject: str
    payload: Mapping[str, Any]
    mark: Mark
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    version: str = ""


@frozen
class Occurrence:
    """One event of a sequence, by the name by which those after it refer to it. Payload (`given`) and headers may hold references. Without
    a type, nobody says what its payload looks like."""

    name: str
    mark: Mark
    subject: str
    given: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    type: EventType | None = None

    @property
    def does(self) -> str:
        return self.type.name if self.type else self.subject
