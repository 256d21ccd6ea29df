"""PostgreSQL: one store per database.

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition.dataset import PartKind
from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.definition.stores import Traits
from seeder.engines import (
    _image,
    _postgres_connection,
    _postgres_image,
    _postgres_init_scripts,
    _postgres_local,
    _postgres_query,
)
from seeder.errors import SeederError
from seeder.passed.launch import Launch, LocalLaunch
from seeder.passed.target import Address, Target
from seeder.protocols import Cloner, Guest, Rewinder, Session
from seeder.wait import READY, Verdict, never, not_yet

if TYPE_CHECKING:
    from seeder.passed.content import Answer, Held, RowKeys, StoreDigest, TableInfo


class Postgres:
    name = "postgres"
    marks_alone = True
    traits = Traits(
        port=5432,
        images=frozenset({"postgres", "postgresql", "postgresql-repmgr", "postgis", "timescaledb", "timescaledb-ha", "pgvector"}),
        programs=frozenset({"postgres"}),
    )
    accepts: frozenset[PartKind] = frozenset({"table", "sql"})

    def launch(self, service: Service) -> Launch:
        paths = ["/bitnami/postgresql"] if _postgres_image.is_bitnami(service) else ["/var/lib/postgresql", "/var/lib/postgresql/data"]
        paths += [service.environment["PGDATA"]] if service.environment.get("PGDATA") else []
        port = _image.number(service, "PGPORT", service.environment.get("PGPORT") or str(self.traits.port))
        return Launch(port=port, data=tuple(dict.fromkeys(paths)), moved=_postgres_image.moved(service))

    def local(self, service: Service) -> LocalLaunch:
        launch = _postgres_local.launch(service)
        return replace(launch, notes=(*launch.notes, *_postgres_init_scripts.notes(service)))

    def target(self, store: Store, service: Service, address: Address) -> Target:
        login = _postgres_image.login(service)
        return Target(store.name, self.name, "postgresql", address, login.user, login.password, store.database or login.database)

    def probe(self, target: Target) -> Verdict:
        psycopg = _postgres_connection.driver()
        try:
            with _postgres_connection.dial(target, timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            return self._refusal(target, " ".join(str(error).split()))
        return READY

    def initialise(self, service: Service, stores: Sequence[Store], address: Address, *, image: bool) -> None:
        from seeder.engines import _postgres_initialise

        _postgres_initialise.initialise(service, stores, address, image=image)

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:
        from seeder.engines._postgres_load import PostgresSession

        return PostgresSession(target, upsert=upsert, natural_keys=natural_keys)

    def keys(self, target: Target, tables: Iterable[str]) -> Mapping[str, RowKeys]:
        from seeder.engines import _postgres_guest

        return _postgres_guest.keys(target, tables)

    def taken(self, target: Target, table: str, column: str, low: int, high: int) -> bool:
        from seeder.engines import _postgres_guest

        return _postgres_guest.taken(target, table, column, low, high)

    def join(self, target: Target) -> Guest:
        from seeder.engines._postgres_guest import GuestSession

        return GuestSession(target, upsert=False, natural_keys={})

    def committed(self, target: Target, transaction: str) -> bool | None:
        from seeder.engines import _postgres_guest

        return _postgres_guest.committed(target, transaction)

    def erase(self, target: Target, rows: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]]) -> int:
        from seeder.engines import _postgres_guest

        return _postgres_guest.erase(target, rows)

    def query(self, target: Target, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return _postgres_query.rows(target, sql, parameters)

    def answers(self, target: Target, statements: str) -> list[Answer]:
        from seeder.engines import _postgres_answers

        return _postgres_answers.answers(target, statements)

    def client(self, target: Target) -> tuple[list[str], dict[str, str]]:
        return _postgres_query.client(target)

    def tables(self, target: Target) -> Mapping[str, TableInfo]:
        return _postgres_query.tables(target)

    def counts(self, target: Target, tables: Iterable[str]) -> Mapping[str, int]:
        return _postgres_query.counts(target, tables)

    def marked(self, target: Target, table: str, column: str, mark: str) -> int:
        return _postgres_query.marked(target, table, column, mark)

    def missing(self, target: Target, table: str, column: str) -> list[tuple[Any, ...]]:
        return _postgres_query.missing(target, table, column)

    def values(self, target: Target, table: str, column: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        return _postgres_query.values(target, table, column)

    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest:
        from seeder.engines import _postgres_digest

        return _postgres_digest.digest(target, volatile)

    def held(self, target: Target, volatile: Sequence[str]) -> Iterable[Held]:
        from seeder.engines import _postgres_held

        return _postgres_held.held(target, volatile)

    def save(self, target: Target, folder: Path) -> None:
        from seeder.engines import _postgres_save

        _postgres_save.save(target, folder)

    def restore(self, target: Target, folder: Path) -> str:
        from seeder.engines import _postgres_restore

        _postgres_restore.restore(target, folder)
        return ""

    def rewinder(self, target: Target, folder: Path) -> Rewinder:
        from seeder.engines._postgres_rewind import PostgresRewinder

        return PostgresRewinder(target, folder)

    def template(self, target: Target) -> None:
        from seeder.engines import _postgres_clones

        _postgres_clones.keep(target)

    def cloner(self, target: Target) -> Cloner:
        from seeder.engines._postgres_clones import PostgresCloner

        return PostgresCloner(target)

    def settled(self, target: Target, store: Store) -> Verdict:
        if not store.settled:
            return READY
        answer = _postgres_query.rows(target, store.settled, None)
        if answer and answer[0][0] is True:
            return READY
        return not_yet(f"`{store.settled}` answers {answer[0][0] if answer else 'nothing'}")

    def _refusal(self, target: Target, reason: str) -> Verdict:
        if f'database "{target.database}" does not exist' in reason:
            return READY  # one of several, or not made yet: `initialise` makes it
        if "no password supplied" in reason:
            return never("it asks for a password, and the stack gives none: POSTGRES_PASSWORD is empty or unset")
        unknown = f'role "{target.user}" does not exist' in reason
        if unknown or "password authentication failed" in reason or "no pg_hba.conf entry" in reason:
            return READY if _awaits_initialise(target) else never(reason)
        return not_yet(reason)


def _awaits_initialise(target: Target) -> bool:
    """A prepared cluster that still belongs to its first role accepts clients; `initialise` makes theirs."""
    try:
        with _postgres_connection.dial(_postgres_local.first_role(target), timeout=2):
            return True
    except (_postgres_connection.driver().OperationalError, SeederError):
        return False
