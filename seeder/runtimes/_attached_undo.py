"""Take back what a run made in a shared system, one process at a time, and see that nothing that carries its mark is left."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from seeder import undo
from seeder.errors import SeederError, counted
from seeder.protocols import Marks
from seeder.run import Swept
from seeder.runtimes._attached_deployment import AttachedDeployment
from seeder.wait import READY, Verdict, not_yet, wait_for

WITHIN: Final = 600.0  # seconds that another process may take with the same run


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Raises EnvironmentFailed when another process goes on taking back for longer than ten minutes, FileNotFoundError when there is no
    such folder."""
    handle = os.open(folder, os.O_RDONLY)  # the folder itself is the lock: it goes with the run
    try:
        wait_for(folder.name, lambda: _taken(handle), within=WITHIN, first=0.1)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> Verdict:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return not_yet("another process takes back what it made")
    return READY


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
        column, engine = trace.column, here.engine(trace.column.store)
        if not isinstance(engine, Marks):
            continue
        try:
            rows = engine.marked(here.target(column.store), column.table, column.column, here.run.mark)
        except SeederError as error:
            yield f"{column}: whether rows with the mark {here.run.mark} are left is unknown: {error.problems[0].cause}"
            continue
        if rows:
            yield f"{column}: {counted(rows, 'row')} with the mark {here.run.mark} of which the ledger does not know ({capability})"
