"""Take back what a run made in a shared system, one process at a time, and see that nothing that carries its mark is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from seeder.errors import SeederError, counted
from seeder.machine.lock import free
from seeder.passed.run import Swept
from seeder.protocols import Marks
from seeder.runtimes._attached_deployment import AttachedDeployment
from seeder.steps import undo

LOCK: Final = "undo.lock"


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else takes back what the run of that folder made; then nobody does for as long as this lasts."""
    with free(folder / LOCK) as ours:
        yield ours


def take_back(here: AttachedDeployment) -> Swept:
    """What was taken back, and what is left: of the ledger, and of rows that carry the run's mark."""
    with here.exit:
        swept = undo.take_back(here)
        left = (*swept.left, *([] if swept.left else _marked(here)))
    return Swept(swept.removed, left, lasting=True)


def _marked(here: AttachedDeployment) -> Iterator[str]:
    """Rows that no step made, or that the undo of one left behind."""
    for capability, trace in sorted(here.shared.traces.items()):
        if trace.column is None:
            continue
        column = trace.column
        try:
            engine = here.engine(column.store)
            if not isinstance(engine, Marks):
                continue
            rows = engine.marked(here.target(column.store), column.table, column.column, here.run.mark)
        except SeederError as error:
            yield f"{column}: whether rows with the mark {here.run.mark} are left is unknown: {error.problems[0].cause}"
            continue
        if rows:
            yield f"{column}: {counted(rows, 'row')} with the mark {here.run.mark} of which the ledger does not know ({capability})"
