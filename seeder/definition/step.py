"""A step of a scenario: a capability, a state that is waited for, events that are published, or what is expected by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from seeder.definition.event import Occurrence
from seeder.definition.expectation import Expectation
from seeder.definition.marked import mark_of
from seeder.definition.references import Reference, references
from seeder.errors import Mark
from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.definition.scope import Scope

USED: Final = "scenario/"  # `use: scenario/NAME` asks for the state of a scenario
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
    """`use` asks a capability with `given`, values that may hold references, or another scenario; `watch` waits; `events` are
    published to `store` (empty until `settle` finds the only one that holds such), one after another; `expect` must hold by then. With
    `each` (a list, or a reference to one) or `count` it is done for every member, and its result is the list of theirs.

    `through`: what inserts into a store is refused. `scope` says what its references mean once the scenarios that are used are laid out
    (scope.py): its name is one of all of them then.
    """

    name: str
    mark: Mark
    use: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    each: Any = None
    count: Any = None
    after: tuple[str, ...] = ()
    watch: Watch | None = None
    events: tuple[Occurrence, ...] = ()
    store: str = ""
    expect: tuple[Expectation, ...] = ()
    through: bool = False
    written: Any = field(default=None, compare=False, repr=False)  # as the file has it, with its marks
    scope: Scope | None = field(default=None, compare=False, repr=False)

    @property
    def state(self) -> str | None:
        """The scenario whose state it asks for."""
        return self.use.removeprefix(USED) if self.use.startswith(USED) else None

    def laid_out(self, scope: Scope) -> Step:
        """The same step as one of all that take part."""
        made = replace(self, name=scope.path + self.name, scope=scope)
        vars(made)["_referred"] = self._referred  # what is written in it is the same
        return made

    @property
    def key(self) -> str:
        """By which its values are drawn: the same by itself and where its scenario is used."""
        return f"{self.scope.label}/{self.name.removeprefix(self.scope.path)}" if self.scope else self.name

    def place(self, *way: str | int) -> Mark:
        """Where a part of it was written."""
        return mark_of(self.written, way) or self.mark

    @property
    def does(self) -> str:
        """What it is about, for people."""
        if self.watch:
            return f"wait for {self.watch.service}{self.watch.path}"
        if self.events:
            return f"publish {', '.join(one.does for one in self.events)}"
        return f"expect {', '.join(one.kind for one in self.expect)}" if self.expect else self.use

    @property
    def own(self) -> frozenset[str]:
        """Roots of references in it that are no steps."""
        return OWN | {one.name for one in self.events}

    @property
    def many(self) -> bool:
        """Whether it is done for every member of a list."""
        return self.each is not None or self.count is not None

    def references(self) -> Iterator[Reference]:
        """Every reference in what it is given, and in what it waits for."""
        return (reference for reference, _ in self._referred)

    @cached_property
    def _referred(self) -> list[tuple[Reference, tuple[str | int, ...]]]:
        """Each reference with where it stands: of thousands of steps they are asked for several times."""
        return [(reference, way) for way, value in self.parts() for reference in references(value)]

    def parts(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Where what may hold references stands in it, and what is there."""
        yield from ((("with", name), value) for name, value in self.given.items())
        yield from ((("for_each",), self.each), (("count",), self.count))
        if self.watch:
            yield ("eventually", "path"), self.watch.path
            yield from ((("eventually", "until", name), value) for name, value in self.watch.until.items())
            yield from ((("meanwhile", name), list(values)) for name, values in self.watch.meanwhile.items())
        for event in self.events:
            yield from ((("events", event.name, key), value) for key, value in (("with", event.given), ("headers", event.headers)))
        for place, one in enumerate(self.expect):
            yield ("expect", place), one.parts

    def placed(self) -> Iterator[tuple[Reference, Mark]]:
        """The same references, each with its place."""
        return ((reference, self.place(*way)) for reference, way in self._referred)

    def needs(self) -> Iterator[str]:
        """The steps that must be done before it: those of `after`, and those whose results it is given."""
        yield from self.after
        yield from (reference.root for reference in self.references() if reference.root not in self.own)

    def inputs(self) -> set[str]:
        """The inputs of the scenario that it is given."""
        return {str(reference.way[0]) for reference in self.references() if reference.root == "inputs" and reference.way}
