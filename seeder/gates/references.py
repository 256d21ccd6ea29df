"""Keys that one store holds of another: every value of the source exists in the target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from seeder.definition.stack import Column, Reference
from seeder.errors import Problem
from seeder.gates._schemas import Found, Schemas
from seeder.order import each
from seeder.passed.fitness import Fitness
from seeder.protocols import World

_SHOWN: Final = 10
_AT_ONCE: Final = 4  # each is two connections

Value = tuple[str, tuple[Any, ...]]


class References:
    name = "references"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """One finding per declared reference, with the first values that lead nowhere, the keys of rows that hold them, and their
        number. Both sides are streamed in one order, so memory stays flat."""
        schemas, numbered = Schemas(world), {str(number): reference for number, reference in enumerate(fitness.references)}
        found = each(numbered, lambda number: list(_check(schemas, numbered[number])), at_once=_AT_ONCE)
        return [problem for problems in found.values() for problem in problems]


def _check(schemas: Schemas, reference: Reference) -> Iterable[Problem]:
    source, target = _find(schemas, reference, reference.source), _find(schemas, reference, reference.target)
    wrong = [found for found in (source, target) if isinstance(found, Problem)]
    if isinstance(source, Problem) or isinstance(target, Problem):
        yield from wrong
        return
    checked = _Counted(_values(source, reference.source.column))
    lost = lacking(checked, (value for value, _ in _values(target, reference.target.column)))
    shown = [f"{value} ({source.key_of(key)})" for value, key in islice(lost, _SHOWN)]
    total = len(shown) + sum(1 for _ in lost)
    if total:
        others = f" and {total - len(shown)} more" if total > len(shown) else ""
        cause = f"{total} of {checked.number} values do not exist in {reference.target}: {', '.join(shown)}{others}"
        yield Problem(
            str(reference), cause, f"load the missing rows into {reference.target.store}, or correct these in {reference.source.store}"
        )


def _find(schemas: Schemas, reference: Reference, column: Column) -> Found | Problem:
    return schemas.find_column(str(reference), column.store, column.table, column.column)


def _values(found: Found, column: str) -> Iterator[Value]:
    return ((str(value), key) for value, key in found.engine.values(found.target, found.info.name, column))


class _Counted:
    """Passes values on and counts them."""

    def __init__(self, values: Iterator[Value]) -> None:
        self._values = values
        self.number = 0

    def __iter__(self) -> Iterator[Value]:
        for value in self._values:
            self.number += 1
            yield value


def lacking(source: Iterable[Value], target: Iterable[str]) -> Iterator[Value]:
    """The members of `source` whose value is not in `target`. Both come in ascending order of their code points, each value once."""
    known = iter(target)
    current = next(known, None)
    for value, key in source:
        while current is not None and current < value:
            current = next(known, None)
        if current != value:
            yield value, key
