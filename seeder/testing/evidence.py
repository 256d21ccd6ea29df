"""What a test's own databases hold when it has failed, as a bundle of the servers that they are copies at."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from seeder import present
from seeder.definition.alone import part
from seeder.evidence.story import free
from seeder.passed.operation import Plan
from seeder.passed.target import Target
from seeder.running import hold
from seeder.stages import snapshot


def keep(run: str, copies: Mapping[str, Target], cause: str) -> Path:
    """A bundle of the run, with a test's `copies` in place of their stores; its other stores as they were copied from. What the test
    did not commit is not in it. Raises SeederError when the run cannot be taken up."""
    with ExitStack() as undo:
        environment, plan = present.rejoin(present.find(run, datetime.datetime.now(datetime.UTC), Path.cwd()), lambda _: None, undo)
        environment.plan, environment.copies = _servers(plan), copies
        with hold.alone(environment):  # other workers' tests may fail at the same time
            told = snapshot.as_recorded(environment, environment.plan, cause)
            folder = free(environment.run.checkout, run)
            return snapshot.take(environment.run, environment.plan, environment, folder, told, environment.emit).path


def _servers(plan: Plan) -> Plan:
    """Services that its state needed were stopped: nothing is to be told of them."""
    stack = part(plan.stack, {one.subject for one in plan.servers}, "it does not run where databases are alone")
    return replace(plan, services=(), definition=replace(plan.definition, stack=stack))
