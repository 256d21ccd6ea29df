"""Bring things up: what can be created at once, then servers, later services, each as soon as what it waits for is there."""

from __future__ import annotations

from seeder import start
from seeder.environment import Environment
from seeder.fitness import LoadedTable, Migrated
from seeder.layer import Begin
from seeder.operation import Plan


def prepare(environment: Environment, plan: Plan) -> None:
    """Images or programs are there, everything is created, and every address is known."""
    states = {server: begin.layer.place for server, begin in plan.begins.items() if plan.chains[server].physical}
    environment.addresses = environment.deployment.prepare(plan.definition.request.images, states if plan.chains else None)
    for begin in plan.begins.values():
        environment.loaded += _loaded(begin, environment)
        environment.results |= begin.layer.facts.get("results", {})
        environment.migrated |= {store: Migrated.of(given) for store, given in begin.layer.facts.get("migrated", {}).items()}


def servers(environment: Environment, plan: Plan) -> None:
    """Every store answers, holds the databases that the stack names, and stands where its layer left it."""
    start.in_order(environment, plan, plan.servers)


def services(environment: Environment, plan: Plan) -> None:
    """Every service is as ready as the stack asks for; finished one-shots count as completed."""
    start.in_order(environment, plan, plan.services)


def _loaded(begin: Begin, environment: Environment) -> list[LoadedTable]:
    """The tables that were loaded when the layer was made."""
    root = environment.run.checkout
    given = begin.layer.facts.get("tables", [])
    return [LoadedTable(**{**table, "columns": tuple(table["columns"]), "file": root / table["file"]}) for table in given]
