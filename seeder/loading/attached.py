"""Put a dataset's rows into a system that others use, too: under keys of the run's own, each written in the ledger before it is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

from seeder.definition.stack import Column
from seeder.environment import Environment
from seeder.errors import DefinitionError
from seeder.events import Loaded
from seeder.loading.owned import take_back
from seeder.loading.rekeying import Place, Rekeying, Sharing
from seeder.passed.content import RowKeys, Table
from seeder.passed.fitness import LoadedTable
from seeder.passed.operation import Load
from seeder.protocols import Guest, Shares
from seeder.registry import LOADERS
from seeder.steps.ledger import DATA, Entry, Ledger


def dataset(environment: Environment, operation: Load) -> list[LoadedTable]:
    """All of it or nothing, as `owned.dataset` does it. Answers the tables that were loaded."""
    files = _files(environment, operation)
    rekeyed = Rekeying(files, _sharing(environment), lambda *asked: _free(environment, *asked))
    environment.keys |= {str(column): dict(values) for column, values in rekeyed.new.items()}
    ledger, found, count = Ledger(environment.run.folder), list[LoadedTable](), dict[str, int]()
    rows = {store: {table: rekeyed.keys((store, table)) for at, table in files if at == store} for store in operation.parts}
    with ExitStack() as undo:
        sessions = {store: _begun(environment, store, undo) for store in operation.parts}
        for store, session in sessions.items():
            tables = [rekeyed.table(place) for place in files if place[0] == store]
            counts = session.load(tables)
            found += [
                LoadedTable(operation.dataset.label, store, one.name, one.columns, counts.get(one.name, 0), one.part.path) for one in tables
            ]
            session.verify()
            count[store] = sum(counts.values())
        for store, session in sessions.items():
            entry = _entry(operation, store, rows[store], session.transaction)
            ledger.begin(entry)
            session.commit()
            ledger.ended(entry.id, "confirmed")
            environment.emit(Loaded(operation.dataset.name, operation.dataset.version, store, count[store], "inserted"))
        undo.pop_all()
    return found


def _sharing(environment: Environment) -> Sharing:
    target = environment.stack.shared
    assert target is not None  # noqa: S101  (every stack that is attached has one)
    shown = tuple(trace.column for trace in target.traces.values() if trace.column)
    return Sharing(environment.stack.references, environment.run.mark, shown, target.ranges)


def _files(environment: Environment, operation: Load) -> dict[Place, tuple[Table, RowKeys]]:
    found: dict[Place, tuple[Table, RowKeys]] = {}
    for store, parts in operation.parts.items():
        tables = [LOADERS.get(part.kind).read(part, environment.run.as_of) for part in parts]
        known = _engine(environment, store).keys(environment.target(store), [table.part.name for table in tables])
        for table in tables:
            if not isinstance(table, Table) or table.name not in known:
                remedy = "load it into a system of its own: --runtime docker or local"
                raise DefinitionError(
                    f"{operation.dataset.label}: {store}/{table.part.path.name}", "there is no such table in the target", remedy
                )
            found[store, table.name] = (table, known[table.name])
    return found


def _begun(environment: Environment, store: str, undo: ExitStack) -> Guest:
    session = _engine(environment, store).join(environment.target(store))
    undo.callback(take_back, environment, store, session)
    return session


def _engine(environment: Environment, store: str) -> Shares:
    engine = environment.engine(store)
    if not isinstance(engine, Shares):
        raise DefinitionError(store, f"{engine.name} takes no rows that could be told from others'", "make the state by steps")
    return engine


def _free(environment: Environment, column: Column, low: int, high: int) -> bool:
    return not _engine(environment, column.store).taken(environment.target(column.store), column.table, column.column, low, high)


def _entry(operation: Load, store: str, rows: Mapping[str, tuple[tuple[str, ...], list[list[str]]]], transaction: str) -> Entry:
    given = {"store": store, "transaction": transaction, "rows": {table: [list(columns), keys] for table, (columns, keys) in rows.items()}}
    about = operation.dataset
    return Entry(f"{about.label} in {store}", DATA, about.version, about.owner or "nobody", "inserted", given=given, at=time.time())
