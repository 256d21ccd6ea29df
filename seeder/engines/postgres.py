"""PostgreSQL: one store per database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seeder.definition.dataset import PartKind
from seeder.definition.stack import Service, Store
from seeder.engines import _postgres_connection, _postgres_image, _postgres_initialise, _postgres_local
from seeder.engines._postgres_load import PostgresSession
from seeder.errors import SeederError
from seeder.protocols import Address, Launch, LocalLaunch, Session, Target
from seeder.wait import READY, Verdict, never, not_yet


class Postgres:
    name = "postgres"
    accepts: frozenset[PartKind] = frozenset({"table", "sql"})

    def launch(self, service: Service) -> Launch:
        paths = ["/bitnami/postgresql"] if _postgres_image.is_bitnami(service) else ["/var/lib/postgresql", "/var/lib/postgresql/data"]
        paths += [service.environment["PGDATA"]] if service.environment.get("PGDATA") else []
        return Launch(port=int(service.environment.get("PGPORT") or 5432), data=tuple(dict.fromkeys(paths)))

    def local(self, service: Service) -> LocalLaunch:
        return _postgres_local.launch(service)

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
        _postgres_initialise.initialise(service, stores, address, image=image)

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:
        return PostgresSession(target, upsert=upsert, natural_keys=natural_keys)

    def _refusal(self, target: Target, reason: str) -> Verdict:
        if f'database "{target.database}" does not exist' in reason:
            return READY  # one of several, or not made yet: `initialise` makes it
        if "password authentication failed" in reason or "no pg_hba.conf entry" in reason:
            return READY if _awaits_initialise(target) else never(reason)
        return not_yet(reason)


def _awaits_initialise(target: Target) -> bool:
    """A prepared cluster that still belongs to its first role accepts clients; `initialise` makes theirs."""
    try:
        with _postgres_connection.dial(_postgres_local.first_role(target), timeout=2):
            return True
    except (_postgres_connection.driver().OperationalError, SeederError):
        return False
