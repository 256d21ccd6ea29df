"""Act in the state that was made: what the scenario is about. It is never kept."""

from __future__ import annotations

from seeder import perform
from seeder.environment import Environment
from seeder.operation import Plan


def steps(environment: Environment, plan: Plan) -> None:
    """Everything of `act` is done, and its results are known."""
    perform.steps(environment, "act", plan.acts)
