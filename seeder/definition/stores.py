"""Which services are stores, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from seeder.definition import image
from seeder.definition.service import Service
from seeder.definition.stack import Link, Store
from seeder.frozen import frozen

_ENTRYPOINTS = frozenset({"docker-entrypoint.sh", "run.sh"})  # what images of servers begin with
_NOT_YET = frozenset({
    "mysql", "mysql-server", "mariadb", "mongo", "mongodb", "mongodb-community-server", "rabbitmq", "kafka", "cp-kafka", "redpanda",
    "minio", "localstack", "elasticsearch", "opensearch", "clickhouse", "clickhouse-server", "cassandra", "memcached",
})  # fmt: skip
_WORD = re.compile(r"[\w.\-]+")


@frozen
class Traits:
    """What tells an engine's servers from other services, before anything runs."""

    port: int  # where a client looks for a server that is named without one
    images: frozenset[str] = frozenset()  # the last part of the repository, whatever registry and owner stand before it
    programs: frozenset[str] = frozenset()  # the server's own names
    http: bool = False  # its servers answer requests as services do


Engines = Mapping[str, Traits]  # by the engine's name


def engine_of(service: Service, engines: Engines) -> str | None:
    """The engine of the store that the service is: as declared, else told from its image; None when it is no store.

    A service that runs something else from a store's image (`psql -f ...`) is none.
    """
    if service.x.store is not None:
        return service.x.store
    if service.image is None:
        return None
    name = image.base(service.image)
    engine = next((engine for engine, traits in engines.items() if name in traits.images), None)
    return engine if engine and _runs_server(service, engines[engine].programs | _ENTRYPOINTS) else None


def not_yet(service: Service) -> str | None:
    """What keeps state by its image, and has no engine: `mariadb`. None for a service that is declared a store, and for all others."""
    name = image.base(service.image or "")
    return name if name in _NOT_YET and service.x.store is None else None


def _runs_server(service: Service, programs: frozenset[str]) -> bool:
    words = [*(service.entrypoint or ()), *(service.command or ())]
    if not words or (not service.entrypoint and (words[0].startswith("-") or words[0].endswith(".conf"))):
        return True
    if "-c" in words[1:2] or "-ec" in words[1:2]:  # a shell's command line: the program may stand anywhere in it
        return any(word in programs for text in words for word in _WORD.findall(text))
    return any(word.rpartition("/")[2] in programs for word in words[: len(service.entrypoint or ()) + 1])


def stores_of(services: Iterable[Service], engines: Engines) -> dict[str, Store]:
    """The stores of the services, by name: `orders-db`, or `orders-db/audit` where a server names its databases."""
    return {store.name: store for service in services for store in _stores(service, engines)}


def owners(store: Store, links: Iterable[Link]) -> set[str]:
    """The services as which the store is migrated: those that `migrate` names; Alembic runs as a client where none is named."""
    migrate = store.migrate
    if migrate is None:
        return set()
    clients = {link.client for link in links if link.server == store.service} if migrate.alembic else set()
    return {name for name in (migrate.service, migrate.as_) if name} or clients


def _stores(service: Service, engines: Engines) -> Iterator[Store]:
    engine = engine_of(service, engines)
    if engine is None:
        return
    x, http = service.x, engine in engines and engines[engine].http
    if not x.databases:
        yield Store(service.name, service.name, engine, None, x.migrate, tuple(x.volatile), x.settled, http)
    for name, database in x.databases.items():
        volatile = tuple(database.volatile)
        yield Store(f"{service.name}/{name}", service.name, engine, name, database.migrate, volatile, database.settled, http)
