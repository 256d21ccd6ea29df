"""Bring things up: what can be created at once, then servers, later services, each as soon as what it waits for is there."""

from __future__ import annotations

from pathlib import Path

from seeder.environment import Environment
from seeder.passed.fitness import LoadedTable, Migrated
from seeder.passed.layer import Layer
from seeder.passed.operation import Load, Plan
from seeder.running import start


def prepare(environment: Environment, plan: Plan) -> None:
    """Images or programs are there, everything is created, and every address is known."""
    states = {server: begin.layer.place for server, begin in plan.begins.items() if plan.chains[server].physical}
    environment.results |= plan.results
    environment.addresses = environment.deployment.prepare(plan.definition.request.images, states if plan.chains else None)
    for begin in plan.begins.values():
        environment.loaded += loaded(begin.layer, plan, environment.run.checkout)
        environment.migrated |= {store: Migrated.of(given) for store, given in begin.layer.facts.get("migrated", {}).items()}


def servers(environment: Environment, plan: Plan) -> None:
    """Every store answers, holds the databases that the stack names, and stands where its layer left it."""
    start.in_order(environment, plan, plan.servers)


def services(environment: Environment, plan: Plan) -> None:
    """Every service is as ready as the stack asks for; finished one-shots count as completed."""
    start.in_order(environment, plan, plan.services)


def loaded(layer: Layer, plan: Plan, checkout: Path) -> list[LoadedTable]:
    """The tables that were loaded when the layer was made; not those over which migrations go by now: what these make of the rows is
    nobody's to check."""
    halted = {(load.dataset.label, store) for load in (plan.full or plan).halts if isinstance(load, Load) for store in load.parts}
    given = layer.facts.get("tables", [])
    tables = [LoadedTable(**{**table, "columns": tuple(table["columns"]), "file": checkout / table["file"]}) for table in given]
    return [table for table in tables if (table.dataset, table.store) not in halted]
