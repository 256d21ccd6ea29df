"""Act in the state that was made: what the scenario is about. It is never kept."""

from __future__ import annotations

from seeder.environment import Environment
from seeder.passed.operation import Plan
from seeder.steps import perform


def steps(environment: Environment, plan: Plan) -> None:
    """Everything of `act` is done, and its results are known."""
    perform.steps(environment, "act", plan.acts)
