"""A database that is one test's own: what tests ask of it, and where it comes from."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition.request import Definition, Request, taking_part
from seeder.definition.stack import Store
from seeder.errors import DefinitionError, UsageError
from seeder.handles.sql import Sql
from seeder.passed.target import Target
from seeder.protocols import Clones
from seeder.registry import ENGINES
from seeder.testing import evidence
from seeder.testing.server import Server, Wanted
from seeder.testing.shared import Key
from seeder.testing.supply import Supply

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

NAMED = 40  # bytes of a store's own name in those of its copies; PostgreSQL takes 63 in all
DRIVER = "psycopg"  # the one that is there: seeder itself needs it


class Database(Sql):
    """Migrated and seeded, and gone after its test, with every connection to it. `rows` and `scalar` ask it without ado."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.target = target
        self._undo = ExitStack()

    def url(self, driver: str | None = None) -> str:
        """Where it is, with its credentials; `scheme+driver` where a driver is named: `url("asyncpg")`."""
        return self.target.url(driver)

    @cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's, by psycopg. It is disposed of after the test."""
        __tracebackhide__ = True
        engine: Engine = _sqlalchemy("sqlalchemy").create_engine(self.url(DRIVER))
        self._undo.callback(engine.dispose)
        return engine

    @cached_property
    def async_engine(self) -> AsyncEngine:
        """SQLAlchemy's for asyncio, by psycopg. It keeps no connections: those of a pool would outlive the event loop of the test."""
        __tracebackhide__ = True
        if importlib.util.find_spec("greenlet") is None:
            raise DefinitionError("async_engine", "SQLAlchemy needs greenlet for asyncio", "pip install 'sqlalchemy[asyncio]'")
        made: AsyncEngine = _sqlalchemy("sqlalchemy.ext.asyncio").create_async_engine(
            self.url(DRIVER), poolclass=_sqlalchemy("sqlalchemy.pool").NullPool
        )
        return made

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A connection of psycopg, which `options` go to. It is closed after the test."""
        import psycopg

        connection = psycopg.connect(self.url(), **options)
        self._undo.callback(connection.close)
        return connection

    def close(self) -> None:
        """Let go of all connections that were made here."""
        self._undo.close()


class Databases:
    """`folder`: where the processes of one invocation find what they share; `who`: this one among them. `request` is what all ask
    for but the scenario."""

    def __init__(self, folder: Path, who: str, project: Path, request: Request) -> None:
        self._folder, self._who, self._project, self._request = folder, who, project, request
        self._numbers = itertools.count(1)
        self._definitions: dict[Key, Definition] = {}
        self._servers: dict[tuple[Key, str], Server] = {}
        self._supplies: dict[tuple[Key, str], Supply] = {}
        self.left: list[str] = []  # what went wrong with the end of servers

    @contextmanager
    def of_test(self, scenario: str | None, inputs: Mapping[str, str]) -> Iterator[Given]:
        """What gives one test its databases."""
        given = Given(self, (scenario, tuple(sorted(inputs.items()))))
        try:
            yield given
        finally:
            given.close()

    def take(self, key: Key, store: str) -> Target:
        """A copy of the store that nobody had before. Raises UsageError for a name that is no store, SeederError for what keeps its
        server from coming up."""
        return self._supply(key, store).take()

    def give_back(self, key: Key, store: str, copy: Target) -> None:
        """It is removed when there is time."""
        self._supply(key, store).give_back(copy)

    def server(self, key: Key, store: str) -> Server:
        """Where the copies of the store are."""
        return self._server(key, self._known(key, store)[0].service)

    def close(self) -> None:
        """Nobody here needs any more of them."""
        for supply in self._supplies.values():
            supply.close()
        self.left += filter(None, [server.leave() for server in self._servers.values()])
        self._supplies.clear()
        self._servers.clear()

    def _supply(self, key: Key, name: str) -> Supply:
        if (key, name) not in self._supplies:
            store, engine = self._known(key, name)
            target = self._server(key, store.service).join()[name]
            base = (target.database or name).encode()[:NAMED].decode(errors="ignore")
            self._supplies[key, name] = Supply(partial(engine.cloner, target), lambda: f"{base}_{self._who}_{next(self._numbers)}")
        return self._supplies[key, name]

    def _server(self, key: Key, server: str) -> Server:
        if (key, server) not in self._servers:
            wanted = Wanted(self._project, self._asked(key), server)
            place = hashlib.sha256(repr((key, server)).encode()).hexdigest()[:16]
            self._servers[key, server] = Server(self._folder / place, self._who, wanted)
        return self._servers[key, server]

    def _known(self, key: Key, name: str) -> tuple[Store, Clones]:
        if key not in self._definitions:
            self._definitions[key] = Wanted(self._project, self._asked(key), "").definition()
        stack = self._definitions[key].stack
        taking_part(stack, stack.stores, name, "store")
        engine = ENGINES.get(stack.stores[name].engine)
        if not isinstance(engine, Clones):
            cause = f"{engine.name} cannot copy a store for each test, as databases can"
            raise UsageError(name, cause, "use the `environment` fixture, which takes every store back before each test")
        return stack.stores[name], engine

    def _asked(self, key: Key) -> Request:
        return replace(self._request, scenario=key[0], inputs=dict(key[1]))


class Given:
    """The databases of one test: of each store one that nobody had before, the same one however often it asks."""

    def __init__(self, databases: Databases, key: Key) -> None:
        self._databases, self._key = databases, key
        self._given: dict[str, Database] = {}

    def __call__(self, store: str) -> Database:
        """Raises UsageError for a name that is no store, SeederError for what keeps its server from coming up."""
        if store not in self._given:
            self._given[store] = Database(self._databases.take(self._key, store))
        return self._given[store]

    @property
    def servers(self) -> dict[str, Server]:
        """Run -> the server of it at which the test has databases."""
        found = [self._databases.server(self._key, store) for store in self._given]
        return {server.run: server for server in found}

    def keep(self, run: str, cause: str) -> Path:
        """A bundle of one of the servers, with the test's databases as they are now."""
        copies = {store: one.target for store, one in self._given.items() if self._databases.server(self._key, store).run == run}
        return evidence.keep(run, copies, cause)

    def close(self) -> None:
        """The test needs them no more."""
        for store, database in self._given.items():
            database.close()
            self._databases.give_back(self._key, store, database.target)


def _sqlalchemy(module: str) -> Any:
    __tracebackhide__ = True
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
        raise DefinitionError("engine", "SQLAlchemy is not installed", "pip install sqlalchemy, or use `connect()` or `url()`") from None
