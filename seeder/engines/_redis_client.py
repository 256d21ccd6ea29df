"""Connections to Redis."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from seeder.engines import _driver
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target


def driver() -> Any:
    """The redis module. Raises DefinitionError with the extra to install."""
    return _driver.module("redis", "redis")


@contextmanager
def connect(target: Target, *, timeout: float = 30.0, database: int | None = None) -> Iterator[Any]:
    """A client that speaks bytes and tries once; of the store's database unless another is given.

    Raises EnvironmentFailed with the server's words.
    """
    redis = driver()
    try:
        with raw(target, timeout=timeout, database=database) as client:
            yield client
    except redis.exceptions.RedisError as error:
        raise EnvironmentFailed(target.store, f"redis at {target.address}: {error}") from error


@contextmanager
def raw(target: Target, *, timeout: float, database: int | None = None) -> Iterator[Any]:
    """The same, raising the driver's own errors."""
    redis = driver()
    client = redis.Redis(
        host=target.address.host,
        port=target.address.port,
        db=numbered(target) if database is None else database,
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


def end_clients(client: Any, databases: Collection[int] | None, flag: str) -> int:
    """Close connections in a MULTI (x) or in a blocking command (b): one would write, the other take what is given back. `databases`:
    those of them alone."""
    every = [about for about in client.client_list() if flag in about["flags"]]
    ended = [about["id"] for about in every if databases is None or int(about["db"]) in databases]
    for number in ended:
        client.execute_command("CLIENT", "KILL", "ID", number)
    return len(ended)


def waited(ended: int) -> str:
    """Why clients whose blocking commands were ended cannot go on; nothing when there were none."""
    return f"{ended} of them waited in a blocking command, and lost the connection" if ended else ""


def interactive(target: Target) -> tuple[list[str], dict[str, str]]:
    """redis-cli, whose environment tells it the password."""
    words = ["redis-cli", "-h", target.address.host, "-p", str(target.address.port), "-n", str(numbered(target))]
    return words, {"REDISCLI_AUTH": target.password} if target.password else {}


def numbered(target: Target) -> int:
    """The database's number. Raises EnvironmentFailed when the store is named otherwise."""
    name = target.database or "0"
    if not name.isdecimal():
        raise EnvironmentFailed(target.store, f"redis numbers its databases, and this one is called {name!r}", "call it 0, 1, ...")
    return int(name)
