"""What steps made in a shared system shows whose it is: in what capabilities answered, and in the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from seeder.definition.stack import Column
from seeder.errors import Problem
from seeder.events import Noticed
from seeder.passed.capability import NOTHING
from seeder.passed.fitness import Fitness
from seeder.protocols import Marks as Counts
from seeder.protocols import World
from seeder.registry import generators
from seeder.steps import ledger
from seeder.steps.ledger import Entry

OWN: Final = {
    "prefix": "take it from ctx.unique(...), or begin it with ctx.mark",
    "tenant": "ask through ctx.http(...), whose requests say for which tenant, or take it from ctx.unique(...)",
}  # isolation -> how a capability makes things that are the run's


class Marks:
    name = "marks"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:  # noqa: ARG002  (asks the ledger and the stores)
        """Every confirmed entry of a capability whose things show a mark carries the run's, and as many rows carry it as the ledger
        knows. Of the others it is told that the ledger alone knows whose they are."""
        target = world.stack.shared
        if target is None:
            return
        made = [entry for entry in ledger.read(world.run.folder) if entry.state == "confirmed"]
        for capability, trace in sorted(target.traces.items()):
            own = [entry for entry in made if entry.capability == capability]
            if trace.output is not None:
                yield from _answered(own, trace.output, world.run.mark, OWN[target.isolation])
        for column in sorted({trace.column for trace in target.traces.values() if trace.column}):
            sharing = {capability for capability, trace in target.traces.items() if trace.column == column}
            theirs = [entry for entry in made if entry.capability in sharing]
            yield from _counted(column, theirs, _rows(column, made), world, OWN[target.isolation])
        known = generators(world.stack)
        makes = {entry.capability for entry in made if entry.capability in known and known[entry.capability].capability.undo != NOTHING}
        if silent := sorted(makes - set(target.traces)):
            cause = "where the things that these make show their mark is not declared: the ledger alone tells whose they are"
            world.emit(Noticed(", ".join(silent), cause, f"targets.{target.name}.marks"))


def _answered(entries: Sequence[Entry], output: str, mark: str, remedy: str) -> Iterable[Problem]:
    for entry in entries:
        value = entry.made.get(output) if isinstance(entry.made, dict) else None
        if not str(value).startswith(mark):
            cause = f"{entry.capability} of {entry.owner} made it without the mark of this run, {mark}: {output} is {value!r}"
            yield Problem(f"step {entry.id}", cause, remedy)


def _rows(column: Column, made: Sequence[Entry]) -> int:
    """How many rows of datasets there are in the column's table."""
    given = [entry.given["rows"] for entry in made if entry.capability == ledger.DATA and entry.given["store"] == column.store]
    return sum(len(rows[column.table][1]) for rows in given if column.table in rows)


def _counted(column: Column, entries: Sequence[Entry], loaded: int, world: World, remedy: str) -> Iterable[Problem]:
    engine = world.engine(column.store)
    if not isinstance(engine, Counts):
        return
    rows = engine.marked(world.target(column.store), column.table, column.column, world.run.mark)
    known = len(entries) + loaded
    if rows != known:
        whose = ", ".join(sorted({entry.capability for entry in entries})) or "no step"
        cause = f"{rows} rows carry the mark {world.run.mark}, and the ledger knows of {known} ({whose})"
        yield Problem(str(column), cause, remedy if rows < known else "let each step make one row there, or declare another column")
