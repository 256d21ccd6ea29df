"""Load datasets: records at rest into stores before the services start, then calls through the services."""

from __future__ import annotations

from seeder import variables
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Loaded
from seeder.loading import attached, owned
from seeder.machine import process, shell
from seeder.passed.operation import Call, Make, Plan, Sow
from seeder.registry import CALLERS
from seeder.running import quiet
from seeder.steps import perform


def at_rest(environment: Environment, plan: Plan) -> None:
    """Every dataset's records are in their stores, and known, so that gates can ask for them."""
    for operation in plan.loads:
        environment.loaded += (attached if environment.stack.shared else owned).dataset(environment, operation)


def through_services(environment: Environment, plan: Plan) -> None:
    """Requests and programs of the datasets have run, outboxes are empty and consumers have caught up."""
    variables.write(environment)
    for operation in plan.calls:
        if isinstance(operation, Call):
            count = CALLERS.get(operation.part.kind).call(operation.part, environment)
            environment.emit(Loaded(operation.dataset.name, operation.dataset.version, operation.subject, count, "services"))
        elif isinstance(operation, Sow):
            _sow(environment, operation)
    perform.steps(environment, "load", [operation for operation in plan.calls if isinstance(operation, Make)])
    if plan.services:
        quiet.settle(environment)


def _sow(environment: Environment, operation: Sow) -> None:
    done = process.run(
        operation.seed.command,
        timeout=operation.seed.within,
        cwd=environment.plan.definition.manifest.root,
        environment={**shell.environment(environment.run), **environment.variables()},
        on_line=lambda line: environment.tell("load", operation.subject, "running", line),
        remedy="see what it waits for, or give it longer in the manifest: `seed: {within: ...}`",
    )
    if done.code != 0:
        cause = f"`{operation.detail}` ended with code {done.code}"
        raise EnvironmentFailed(operation.subject, cause, "run it by hand in `seeder up`'s environment", log=done.tail())
