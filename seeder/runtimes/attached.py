"""A stack that exists already and that others use, too: nothing of it is started, stopped, migrated or reset. What a run made in it is
taken back by the run's ledger.

How the system is reached is written into the run's folder, so that whoever takes up a run that died needs no variables.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence

from seeder import owner
from seeder.definition.stack import ATTACHED, Stack
from seeder.errors import EnvironmentFailed, Problem, SeederError
from seeder.events import Emit
from seeder.machine import home
from seeder.passed.notice import Notice
from seeder.passed.run import NO_ADDITIONS, Addition, Run, Swept
from seeder.passed.target import Address
from seeder.runtimes import _attached_again, _attached_undo
from seeder.runtimes._attached_deployment import AttachedDeployment


class Attached:
    """Owns nothing of the system but what the ledgers of its runs tell."""

    name = ATTACHED

    def __init__(self) -> None:
        self._open: dict[str, AttachedDeployment] = {}

    def available(self) -> Problem | None:
        return None

    def survey(self, stack: Stack, images: Collection[str] = ()) -> Sequence[Notice]:  # noqa: ARG002  (no image is started)
        return ()

    def open(
        self, run: Run, stack: Stack, emit: Emit, additions: Mapping[str, Addition] = NO_ADDITIONS, *, isolate_binds: bool = False
    ) -> AttachedDeployment:
        if additions or isolate_binds:
            raise EnvironmentFailed(run.id, "services of a shared system are not configured", "leave config datasets out")
        deployment = AttachedDeployment(run, stack, emit)
        _attached_again.remember(run, stack)
        self._open[run.id] = deployment
        return deployment

    def rejoin(self, run: Run, stack: Stack, addresses: Mapping[tuple[str, int], Address], emit: Emit) -> AttachedDeployment:  # noqa: ARG002  (they are the system's)
        return AttachedDeployment(run, stack, emit)

    def sweep(self, run: str) -> Swept:
        """What the run's steps made is taken back; what is left is told, and stays in its ledger."""
        folder = home.run_folder(run)
        if not _attached_again.asked(folder):
            return Swept()
        try:
            with _attached_undo.alone(folder) as mine:
                if not mine:
                    return Swept(left=("another process takes back what it made",), busy=True)
                if not _attached_again.asked(folder):  # who had it before took everything back
                    return Swept()
                swept = _attached_undo.take_back(self._open.get(run) or _attached_again.deployment(run))
        except SeederError as error:
            return Swept(left=tuple(f"{one.subject}: {one.cause}" for one in error.problems), lasting=True)
        if not swept.left:
            self._open.pop(run, None)
        return swept

    def owners(self) -> Mapping[str, datetime.datetime | None]:
        return {claim.run: claim.expires for claim in owner.claims() if claim.runtime == self.name}
