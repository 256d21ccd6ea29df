"""Tables hold at least as many rows as were loaded, and as many as the stack, the datasets and the scenario declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seeder.definition.extension import CountRange
from seeder.errors import Mark, Problem
from seeder.frozen import frozen
from seeder.gates._schemas import ANEW, Found, Schemas, split
from seeder.order import each
from seeder.passed.fitness import Fitness
from seeder.protocols import World


class Counts:
    name = "counts"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """A table that is loaded holds at least the rows of each of its files; a declared count is met exactly, or within its
        range."""
        schemas, wishes = Schemas(world), list(_wishes(fitness))
        tables = {wish.table: schemas.find(wish.table, *split(wish.table)) for wish in wishes}
        rows = _rows([found for found in tables.values() if isinstance(found, Found)])
        for wish in wishes:
            found = tables[wish.table]
            if isinstance(found, Problem):
                yield found
            else:
                yield from wish.missed(rows[found.target.store][found.info.name])


@frozen
class Wish:
    """How many rows somebody wants a table (`store.table`) to hold."""

    table: str
    wanted: CountRange
    who: str
    remedy: str
    mark: Mark | None = None

    def missed(self, rows: int) -> Iterable[Problem]:
        if not _fits(rows, self.wanted):
            cause = f"holds {rows} row{'s' if rows != 1 else ''}, {self.who} wants {_words(self.wanted)}"
            yield Problem(self.table, cause, self.remedy, self.mark)


def _wishes(fitness: Fitness) -> Iterable[Wish]:
    for loaded in fitness.tables:
        remedy = f"something took rows of {loaded.dataset} away, or gave it more after it was loaded; {ANEW}"
        who = f"{loaded.file.name} of {loaded.dataset}"
        yield Wish(f"{loaded.store}.{loaded.table}", CountRange(min=loaded.rows), who, remedy, Mark(loaded.file, 1))
    for who, gates in fitness.gates:
        for name, count in sorted(gates.counts.items()):
            wanted = CountRange(exactly=count) if isinstance(count, int) else count
            yield Wish(name, wanted, who, "correct the data, or the count")


def _rows(tables: Iterable[Found]) -> dict[str, Mapping[str, int]]:
    """Store -> table -> rows; every store is asked once, several at the same time."""
    by_store: dict[str, list[Found]] = {}
    for found in tables:
        by_store.setdefault(found.target.store, []).append(found)
    return each(by_store, lambda store: _counts(by_store[store]))


def _counts(tables: Sequence[Found]) -> Mapping[str, int]:
    first = tables[0]
    return first.engine.counts(first.target, [found.info.name for found in tables])


def _fits(rows: int, wanted: CountRange) -> bool:
    return (
        (wanted.exactly is None or rows == wanted.exactly)
        and (wanted.min is None or rows >= wanted.min)
        and (wanted.max is None or rows <= wanted.max)
    )


def _words(wanted: CountRange) -> str:
    parts = [] if wanted.exactly is None else [f"exactly {wanted.exactly}"]
    parts += [] if wanted.min is None else [f"at least {wanted.min}"]
    parts += [] if wanted.max is None else [f"at most {wanted.max}"]
    return " and ".join(parts)
