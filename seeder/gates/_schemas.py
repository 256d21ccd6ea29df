"""Tables and columns as gates name them, looked up in the stores of a world."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

from seeder.errors import Problem, nearest
from seeder.frozen import frozen
from seeder.passed.content import TableInfo
from seeder.passed.target import Target
from seeder.protocols import Inspects, World

ANEW = "what changes in files once an environment is up reaches only the next one: `seeder down`, then `seeder up`"


@frozen
class Found:
    """A table that is there, and what can be asked about it."""

    engine: Inspects
    target: Target
    info: TableInfo

    def key_of(self, values: tuple[object, ...]) -> str:
        """A row's primary key for a person: `id=5`, `order_id=5, line=2`; the bare values of a table without one."""
        names = self.info.key
        if not names:
            return ", ".join(str(value) for value in values)
        return ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=False))


class Schemas:
    """Asks each store for its tables once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables: dict[str, Mapping[str, TableInfo]] = {}
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def find(self, subject: str, store: str, table: str) -> Found | Problem:
        """The table, or why there is none; an unknown name comes with the nearest known one."""
        known = self._world.stack.stores
        if store not in known:
            return Problem(subject, f"the stack has no store {store}", nearest(store, sorted(known)))
        engine = self._world.engine(store)
        if not isinstance(engine, Inspects):
            return Problem(subject, f"{store} is a {engine.name} store and holds no tables", "name a table of a database")
        target = self._world.target(store)
        tables = self.tables(store, engine)
        if table not in tables:
            return Problem(subject, f"{store} has no table {table}", nearest(table, sorted(tables)))
        return Found(engine, target, tables[table])

    def tables(self, store: str, engine: Inspects) -> Mapping[str, TableInfo]:
        """All of the store, by name."""
        with self._asking[store]:
            if store not in self._tables:
                self._tables[store] = engine.tables(self._world.target(store))
            return self._tables[store]

    def find_column(self, subject: str, store: str, table: str, column: str) -> Found | Problem:
        """The table that has this column, or why there is none."""
        found = self.find(subject, store, table)
        if isinstance(found, Problem):
            return found
        columns = [info.name for info in found.info.columns]
        if column not in columns:
            return Problem(subject, f"table {table} of {store} has no column {column}", nearest(column, columns))
        return found


def split(name: str) -> tuple[str, str]:
    """`store.table` or `store.schema.table` as store and table; a store's name holds no dot."""
    store, _, table = name.partition(".")
    return store, table
