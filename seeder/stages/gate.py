"""Check that the environment is fit for the test; a refusal ends the run before the command."""

from __future__ import annotations

import time
from collections.abc import Iterable

from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, GateRefused, Problem
from seeder.events import Refused
from seeder.order import each
from seeder.passed.operation import EXPECT, Check, Plan
from seeder.registry import GATES


def check(environment: Environment, plan: Plan) -> None:
    """Every gate of the plan that asks for the state found nothing. Raises GateRefused with all findings of all gates."""
    _ask(environment, plan.gates)


def expected(environment: Environment, plan: Plan) -> None:
    """The same for what is expected once the scenario has acted."""
    _ask(environment, plan.expected)


def again(environment: Environment, plan: Plan) -> None:
    """The same of an environment that was handed over before, and is as it was then."""
    _ask(environment, plan.lasting)


def _ask(environment: Environment, operations: Iterable[Check]) -> None:
    checks = {operation.gate: operation for operation in operations}
    if EXPECT in checks and environment.unmade:
        cause = f"nobody knows what step {environment.unmade[0]} made: it was not done here (yet), and what is expected hangs on it"
        raise EnvironmentFailed(environment.run.id, cause, f"`seeder down {environment.run.id}`, and `seeder up` makes it anew")
    found = each(checks, lambda gate: _check(environment, checks[gate]), at_once=4)
    findings = [problem for problems in found.values() for problem in problems]
    if findings:
        raise GateRefused.of(findings)


def _check(environment: Environment, operation: Check) -> list[Problem]:
    begun = time.monotonic()
    found = list(GATES.get(operation.gate).check(environment.fitness, environment))
    for problem in found:
        environment.emit(Refused(operation.gate, problem.subject, problem.cause))
    seconds = round(time.monotonic() - begun, 3)
    environment.tell("gate", operation.gate, "refused" if found else "passed", operation.detail, seconds)
    return found
