"""A NATS connection that is kept from one piece of work to the next, in a loop and thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from seeder.engines import _nats_client
from seeder.engines._nats_client import Link
from seeder.errors import EnvironmentFailed, in_words
from seeder.passed.target import Target

T = TypeVar("T")
_SECONDS = 120.0


class Kept:
    """Connects when there is something to do, again where the server had ended the connection."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connection: Any = None

    def run(self, work: Callable[[Link], Awaitable[T]]) -> T:
        """Raises EnvironmentFailed when the server does not answer or refuses."""
        import nats.errors

        try:
            done: T = self._submit(self._working(work))
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise EnvironmentFailed(self._target.store, f"nats at {self._target.address}: {in_words(error)}") from error
        return done

    def close(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._submit(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _submit(self, work: Any) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="seeder-nats", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    async def _working(self, work: Callable[[Link], Awaitable[T]]) -> T:
        if self._connection is None or self._connection.is_closed:
            self._connection = await _nats_client.dial(self._target)
        return await work(Link(self._target.store, self._connection))

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = None
