"""Which services are stores, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from seeder.definition.stack import Service, Store

# The last part of an image's repository, whatever registry and owner stand before it.
_IMAGES = {
    "postgres": re.compile(r"postgres|postgresql|postgis|timescaledb(-ha)?|pgvector"),
    "redis": re.compile(r"redis|valkey|redis-stack(-server)?"),
    "nats": re.compile(r"nats"),
}
_PROGRAMS = {
    "postgres": re.compile(r"postgres|docker-entrypoint\.sh|run\.sh"),
    "redis": re.compile(r"(redis|valkey)-server|redis-stack-server|docker-entrypoint\.sh|run\.sh"),
    "nats": re.compile(r"nats-server|docker-entrypoint\.sh|run\.sh"),
}
_WORD = re.compile(r"[\w.\-]+")


def repository(image: str) -> str:
    """The last part of an image's repository: `postgres` of `registry:5000/library/postgres:17@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()


def engine_of(service: Service) -> str | None:
    """The engine of the store that the service is: as declared, else told from its image; None when it is no store.

    A service that runs something else from a store's image (`psql -f ...`) is none.
    """
    if service.x.store is not None:
        return service.x.store
    if service.image is None:
        return None
    name = repository(service.image)
    engine = next((engine for engine, images in _IMAGES.items() if images.fullmatch(name)), None)
    return engine if engine and _runs_server(service, engine) else None


def _runs_server(service: Service, engine: str) -> bool:
    words = [*(service.entrypoint or ()), *(service.command or ())]
    if not words or (not service.entrypoint and (words[0].startswith("-") or words[0].endswith(".conf"))):
        return True
    program = _PROGRAMS[engine]
    if "-c" in words[1:2] or "-ec" in words[1:2]:  # a shell's command line: the program may stand anywhere in it
        return any(program.fullmatch(word) for text in words for word in _WORD.findall(text))
    return any(program.fullmatch(word.rpartition("/")[2]) for word in words[: len(service.entrypoint or ()) + 1])


def stores_of(services: Iterable[Service]) -> dict[str, Store]:
    """The stores of the services, by name: `orders-db`, or `orders-db/audit` where a server names its databases."""
    return {store.name: store for service in services for store in _stores(service)}


def _stores(service: Service) -> Iterator[Store]:
    engine = engine_of(service)
    if engine is None:
        return
    x = service.x
    if not x.databases:
        yield Store(service.name, service.name, engine, _default_database(service, engine), x.migrate, tuple(x.volatile), x.settled)
    for name, database in x.databases.items():
        volatile = tuple(database.volatile)
        yield Store(f"{service.name}/{name}", service.name, engine, name, database.migrate, volatile, database.settled)


def _default_database(service: Service, engine: str) -> str | None:
    """The database that the image makes at its first start."""
    return _first(service.environment, _DATABASE_VARIABLES) or "postgres" if engine == "postgres" else None


_DATABASE_VARIABLES = (
    "POSTGRES_DB", "POSTGRESQL_DATABASE", "POSTGRES_DATABASE", "POSTGRES_USER", "POSTGRESQL_USERNAME",
)  # fmt: skip


def _first(environment: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
