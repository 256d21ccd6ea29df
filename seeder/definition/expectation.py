"""What must hold of a world: one observation each, within a time limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from seeder.definition.references import filled, named_parameters
from seeder.errors import Mark
from seeder.frozen import frozen


@frozen
class Expectation:
    """One observation that must hold, within a time limit (seconds).

    kind query: `store`, `query`, `parameters`, `equals` (a scalar, or rows as lists).
    kind http:  `service`, `method`, `path`, `status`, `equals` (a subset of the JSON body).
    kind event: `store`, `subject`, `where` (a subset of the payload), `at_least`.
    kind key:   `store`, `key`, `equals`, or `exists`.
    kind stub:  `store`, `where` (method, path, query, headers, body of a call that was received), `at_least`, or `count`.
    """

    kind: Literal["query", "http", "event", "key", "stub"]
    mark: Mark
    store: str = ""  # of an event or a key: empty until `settle` finds the only store that holds such
    service: str = ""
    query: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    path: str = ""
    status: int = 200
    subject: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    at_least: int = 1
    count: int | None = None
    key: str = ""
    exists: bool | None = None
    equals: Any = None
    compares: bool = False  # `equals` was written (it may be null)
    within: float = 5.0

    @property
    def parts(self) -> list[Any]:
        """What of it may hold references."""
        return [self.parameters, self.path, self.subject, self.where, self.key, self.equals]


def filled_in(expectation: Expectation, known: Mapping[str, Any], named: Mapping[str, Any]) -> Expectation:
    """The expectation with its references filled in; parameters that it does not give have the value that is `named` so."""
    parameters = {name: filled(value, known) for name, value in expectation.parameters.items()}
    taken = {name: named[name] for name in named_parameters(expectation.query) if name not in parameters and name in named}
    return dataclasses.replace(
        expectation,
        parameters={**parameters, **taken},
        path=filled(expectation.path, known, in_url=True),
        subject=filled(expectation.subject, known, as_text=True),
        where=filled(expectation.where, known),
        key=filled(expectation.key, known, as_text=True),
        equals=filled(expectation.equals, known),
    )
