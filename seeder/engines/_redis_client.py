"""Connections to Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.protocols import Target


def driver() -> Any:
    """The redis module. Raises DefinitionError with the extra to install."""
    try:
        import redis
    except ImportError as error:
        raise DefinitionError("redis", "its driver redis is not installed", "pip install 'seeder-env[redis]'") from error
    return redis


@contextmanager
def connect(target: Target, *, timeout: float = 30.0) -> Iterator[Any]:
    """A client that speaks bytes and tries once."""
    redis = driver()
    client = redis.Redis(
        host=target.address.host,
        port=target.address.port,
        db=database(target),
        username=target.user,
        password=target.password,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, 2.0),
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        protocol=2,
    )
    try:
        yield client
    finally:
        client.close()


def database(target: Target) -> int:
    """The database's number. Raises EnvironmentFailed when the store is named otherwise."""
    name = target.database or "0"
    if not name.isdecimal():
        raise EnvironmentFailed(target.store, f"redis numbers its databases, and this one is called {name!r}", "call it 0, 1, ...")
    return int(name)
