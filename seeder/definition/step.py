"""A step of a scenario: a capability that is asked for, or a state that is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from seeder.definition.references import Reference, references
from seeder.errors import Mark
from seeder.frozen import frozen

OWN = frozenset({"inputs", "each", "index"})  # roots of references that are no steps


@frozen
class Watch:
    """A service's answer that is looked at until it holds `until` (a part of the JSON body), for `within` seconds at most. With
    `meanwhile` every other answer must hold one of the values that it lists for a field."""

    service: str
    path: str
    until: Mapping[str, Any]
    meanwhile: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    within: float = 5.0


@frozen
class Step:
    """`use` asks a capability with `given`, values that may hold references; `watch` waits. With `each` (a list, or a reference to one) or
    `count` it is done for every member, and its result is the list of theirs."""

    name: str
    mark: Mark
    use: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    each: Any = None
    count: Any = None
    after: tuple[str, ...] = ()
    watch: Watch | None = None

    @property
    def does(self) -> str:
        """The capability that it asks for, or the answer that it waits for."""
        return f"wait for {self.watch.service}{self.watch.path}" if self.watch else self.use

    @property
    def many(self) -> bool:
        """Whether it is done for every member of a list."""
        return self.each is not None or self.count is not None

    def references(self) -> Iterator[Reference]:
        """Every reference in what it is given, and in what it waits for."""
        written = [self.given, self.each, self.count]
        if self.watch:
            written += [self.watch.path, self.watch.until, *map(list, self.watch.meanwhile.values())]
        return references(written)

    def needs(self) -> Iterator[str]:
        """The steps that must be done before it: those of `after`, and those whose results it is given."""
        yield from self.after
        yield from (reference.root for reference in self.references() if reference.root not in OWN)

    def inputs(self) -> set[str]:
        """The inputs of the scenario that it is given."""
        return {str(reference.way[0]) for reference in self.references() if reference.root == "inputs" and reference.way}
