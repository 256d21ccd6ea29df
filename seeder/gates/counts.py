"""Tables hold the rows that were loaded, and as many as the stack, the datasets and the scenario declare."""

from __future__ import annotations

from collections.abc import Iterable

from seeder.definition.extension import CountRange
from seeder.errors import Mark, Problem
from seeder.fitness import Fitness
from seeder.gates._schemas import ANEW, Schemas, split
from seeder.protocols import World


class Counts:
    name = "counts"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """A table that is loaded holds at least the rows of each of its files; a declared count is met exactly, or within its
        range."""
        schemas = Schemas(world)
        for loaded in fitness.tables:
            wanted = CountRange(min=loaded.rows)
            subject = f"{loaded.store}.{loaded.table}"
            remedy = f"something took rows of {loaded.dataset} away, or gave it more after it was loaded; {ANEW}"
            yield from _check(schemas, subject, wanted, f"{loaded.file.name} of {loaded.dataset}", remedy, Mark(loaded.file, 1))
        for who, gates in fitness.gates:
            for name, count in sorted(gates.counts.items()):
                wanted = CountRange(exactly=count) if isinstance(count, int) else count
                yield from _check(schemas, name, wanted, who, "correct the data, or the count")


def _check(schemas: Schemas, name: str, wanted: CountRange, who: str, remedy: str, mark: Mark | None = None) -> Iterable[Problem]:
    found = schemas.find(name, *split(name))
    if isinstance(found, Problem):
        yield found
        return
    rows = found.engine.count(found.target, found.info.name)
    if not _fits(rows, wanted):
        yield Problem(name, f"holds {rows} row{'s' if rows != 1 else ''}, {who} wants {_words(wanted)}", remedy, mark)


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
