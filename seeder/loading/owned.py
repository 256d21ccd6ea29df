"""Put a dataset's records at rest into their stores: into all of them, or into none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from seeder.environment import Environment
from seeder.errors import SeederError
from seeder.events import Loaded, Noticed
from seeder.order import each
from seeder.passed.content import Table
from seeder.passed.fitness import LoadedTable
from seeder.passed.operation import Load
from seeder.protocols import Loads, Session
from seeder.registry import LOADERS


def dataset(environment: Environment, operation: Load) -> list[LoadedTable]:
    """Every session verifies before any commits; of a dataset with a bad record nothing stays. Answers the tables that were loaded."""
    with ExitStack() as undo:
        sessions = {store: _begin(environment, operation, store, undo) for store in operation.parts}
        loaded = each(sessions, lambda store: _load(environment, operation, store, sessions[store]))
        each(sessions, lambda store: sessions[store].verify())
        for store in sorted(sessions, key=lambda store: (sessions[store].finality, store)):
            sessions[store].commit()
        undo.pop_all()
    for store, (_, count) in loaded.items():
        environment.emit(Loaded(operation.dataset.name, operation.dataset.version, store, count))
    return [one for tables, _ in loaded.values() for one in tables]


def _begin(environment: Environment, operation: Load, store: str, undo: ExitStack) -> Session:
    engine = environment.engine(store)
    if not isinstance(engine, Loads):
        raise TypeError(f"{engine.name} takes no records; the plan should have refused it")
    keys = _natural_keys(operation, store)
    session = engine.begin(environment.target(store), upsert=operation.dataset.upserts, natural_keys=keys)
    undo.callback(take_back, environment, store, session)
    return session


def take_back(environment: Environment, store: str, session: Session) -> None:
    """What went wrong first is what is told; that something stays is said beside it."""
    try:
        session.rollback()
    except SeederError as error:
        environment.emit(Noticed(store, f"what was loaded could not be taken back: {error.problems[0].cause}"))


def _natural_keys(operation: Load, store: str) -> Mapping[str, tuple[str, ...]]:
    prefix = f"{store}."
    return {name.removeprefix(prefix): columns for name, columns in operation.dataset.natural_keys.items() if name.startswith(prefix)}


def _load(environment: Environment, operation: Load, store: str, session: Session) -> tuple[list[LoadedTable], int]:
    """Its tables, and how many records there were in all."""
    given, as_of = operation.dataset, environment.run.as_of
    records = [LOADERS.get(part.kind).read(part, as_of) for part in operation.parts[store]]
    counts = session.load(records)
    return [
        LoadedTable(given.label, store, r.name, r.columns, counts.get(r.name, 0), r.part.path) for r in records if isinstance(r, Table)
    ], sum(counts.values())
