"""A NATS connection for the length of one piece of work. The driver is asyncio; each piece runs in a loop and thread of its own, so
that callers may or may not have a loop themselves."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from seeder.engines import _driver
from seeder.errors import EnvironmentFailed, SeederError, in_words
from seeder.order import aside
from seeder.passed.target import Target

T = TypeVar("T")
_SECONDS = 10.0  # for one answer
STREAMLESS = "let its stream be made first: by `x-seeder: {migrate: ...}` of the broker, or by a service as it starts"


class Link:
    """JetStream's own requests over a connection; answers are its JSON."""

    def __init__(self, store: str, connection: Any) -> None:
        self._store = store
        self.connection = connection

    async def ask(self, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request of the JetStream API. Raises EnvironmentFailed with the server's words."""
        answer = await self.attempt(what, body)
        if "error" in answer:
            raise EnvironmentFailed(self._store, f"{what}: {answer['error']['description']}")
        return answer

    async def attempt(self, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same; a refusal is an answer with `error`."""
        import nats.errors

        payload = json.dumps(body).encode() if body is not None else b""
        try:
            message = await self.connection.request(f"$JS.API.{what}", payload, timeout=_SECONDS)
        except nats.errors.NoRespondersError as error:
            raise EnvironmentFailed(self._store, "the server has JetStream switched off", "add `-js` to its command") from error
        answer: dict[str, Any] = json.loads(message.data)
        return answer

    async def publish(self, subject: str, headers: Mapping[str, str], payload: bytes) -> dict[str, Any]:
        """Store one message; the stream's acknowledgement. Raises EnvironmentFailed when no stream takes it."""
        import nats.errors

        try:
            message = await self.connection.request(subject, payload, timeout=_SECONDS, headers=dict(headers) or None)
        except nats.errors.NoRespondersError as error:
            raise EnvironmentFailed(self._store, f"no stream takes {subject}", STREAMLESS) from error
        except nats.errors.MaxPayloadError as error:
            most = self.connection.max_payload
            raise EnvironmentFailed(self._store, f"{subject}: the server takes {most} bytes at most", "raise its max_payload") from error
        answer: dict[str, Any] = json.loads(message.data)
        if "error" in answer:
            raise EnvironmentFailed(self._store, f"{subject}: {answer['error']['description']}")
        return answer


def run(target: Target, work: Callable[[Link], Awaitable[T]]) -> T:
    """Connect, do the work, disconnect. Raises EnvironmentFailed when the server does not answer or refuses."""
    import asyncio

    errors = _driver.module("nats", "nats.errors")
    try:
        return aside(lambda: asyncio.run(_connected(target, work)))()
    except SeederError:
        raise
    except (errors.Error, OSError, TimeoutError) as error:
        raise EnvironmentFailed(target.store, f"nats at {target.address}: {in_words(error)}") from error


async def _connected(target: Target, work: Callable[[Link], Awaitable[T]]) -> T:
    connection = await dial(target)
    try:
        return await work(Link(target.store, connection))
    finally:
        await connection.close()


async def dial(target: Target) -> Any:
    """A connection that never connects again by itself; the driver's own error, or OSError, where there is none to be had."""
    import asyncio

    import nats

    # The driver waits two seconds after a refused connection; a look beforehand does not.
    _, probe = await asyncio.open_connection(target.address.host, target.address.port)
    probe.close()
    token = target.user if target.password is None else None
    login = {"token": token} if token else {"user": target.user, "password": target.password}
    return await nats.connect(f"nats://{target.address}", **login, name="seeder", allow_reconnect=False, connect_timeout=5, error_cb=_quiet)


async def _quiet(_: Exception) -> None:
    """What goes wrong is raised where it was asked for."""
