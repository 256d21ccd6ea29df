"""One proxy: where it listens, to whom it leads, what it does to the connections."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from typing import Any, Final

from seeder.faults.proxyserver.stream import Direction, End, elapsed
from seeder.faults.proxyserver.toxics import STREAMS, Applied
from seeder.machine.serving import reset_when_closed
from seeder.passed.target import Address

LOOPBACK: Final = "127.0.0.1"
_FULL_SECONDS: Final = 0.05


class NotHere(ValueError):
    """An address that no proxy of ours listens on."""


class Connection:
    """A client's and the one to the upstream that belongs to it."""

    def __init__(self, proxy: Proxy, client: socket.socket, upstream: socket.socket) -> None:
        self._proxy, self._sockets, self._open = proxy, (client, upstream), len(STREAMS)
        self._closing: asyncio.Task[None] | None = None
        self.directions = {
            "upstream": Direction(client, upstream, self._ended),
            "downstream": Direction(upstream, client, self._ended),
        }
        for toxic in proxy.toxics.values():
            self.add(toxic)

    def add(self, toxic: Applied) -> None:
        dice = self._proxy.dice
        self.directions[toxic.stream].add(toxic.name, toxic.toxic.waits, dice, toxic.pipe(dice))

    def change(self, toxic: Applied) -> None:
        self.directions[toxic.stream].change(toxic.name, toxic.pipe(self._proxy.dice))

    def remove(self, toxic: Applied) -> None:
        if toxic.toxic.ends:
            self.close()
        else:
            self.directions[toxic.stream].remove(toxic.name)

    def _ended(self, how: End) -> None:
        self._open -= 1
        if how.cut or not self._open:
            self.close(abrupt=how.abrupt)

    def close(self, *, abrupt: bool = False) -> asyncio.Task[None]:
        """Begin to close it; what is to be waited for until it is."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(abrupt))
        return self._closing

    async def _close(self, abrupt: bool) -> None:
        for direction in self.directions.values():
            await direction.close()
        for one in self._sockets:
            if abrupt:
                with suppress(OSError):
                    reset_when_closed(one)
            one.close()
        self._proxy.connections.discard(self)


class Proxy:
    """`listen` and `upstream` are `host:port`; without a host, or with port 0, `listen` is filled in once it listens."""

    def __init__(self, name: str, listen: str, upstream: str, dice: random.Random) -> None:
        self.name, self.listen, self.upstream, self.dice = name, listen, upstream, dice
        self.toxics: dict[str, Applied] = {}
        self.connections: set[Connection] = set()
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def enabled(self) -> bool:
        return self._listener is not None

    @property
    def told(self) -> dict[str, Any]:
        toxics = [toxic.told for stream in STREAMS for toxic in self.toxics.values() if toxic.stream == stream]
        return {"name": self.name, "listen": self.listen, "upstream": self.upstream, "enabled": self.enabled, "toxics": toxics}

    async def start(self) -> None:
        """Accept connections. Raises OSError when it cannot listen there, NotHere when it must not."""
        if self.enabled:
            return
        host, port = await resolved(self.listen)
        self._listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)
        self._listener.setblocking(False)
        self.listen = str(Address(*self._listener.getsockname()[:2]))
        self._keep(self._accept(self._listener))

    async def stop(self) -> None:
        """Accept none, and close those that are open."""
        listener, self._listener = self._listener, None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(connection.close() for connection in tuple(self.connections)), return_exceptions=True)
        if listener is not None:
            listener.close()

    def add(self, toxic: Applied) -> None:
        self.toxics[toxic.name] = toxic
        for connection in tuple(self.connections):
            connection.add(toxic)

    def change(self, toxic: Applied) -> None:
        self.toxics[toxic.name] = toxic
        for connection in tuple(self.connections):
            connection.change(toxic)

    def remove(self, name: str) -> None:
        toxic = self.toxics.pop(name)
        for connection in tuple(self.connections):
            connection.remove(toxic)

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError:  # no file is free for another connection: those that end give theirs back
                await elapsed(_FULL_SECONDS)
            else:
                self._keep(self._connect(client))

    async def _connect(self, client: socket.socket) -> None:
        """A client whose upstream does not answer is turned away."""
        loop, upstream = asyncio.get_running_loop(), None
        try:
            host, port = split(self.upstream)
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            upstream = await _dialled(loop, found)
            for one in (client, upstream):
                one.setblocking(False)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError, asyncio.CancelledError) as error:
            for each in (client, upstream):
                if each is not None:
                    each.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        self.connections.add(Connection(self, client, upstream))


async def _dialled(loop: asyncio.AbstractEventLoop, found: list[Any]) -> socket.socket:
    """The first address that answers. Raises the last one's error."""
    wrong: OSError = OSError("it has no address")
    for family, kind, protocol, _, address in found:
        one = socket.socket(family, kind, protocol)
        one.setblocking(False)
        try:
            await loop.sock_connect(one, address)
        except OSError as error:
            one.close()
            wrong = error
        except BaseException:
            one.close()
            raise
        else:
            return one
    raise wrong


def split(address: str) -> tuple[str, int]:
    """Host and port. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 0xFFFF:  # noqa: PLR2004  (the largest port)
        raise ValueError(f"address {address}: write host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def resolved(address: str) -> tuple[str, int]:
    """Where to listen. Raises NotHere for what is not this machine's alone, OSError for a name that nobody knows."""
    host, port = split(address)
    found = await asyncio.get_running_loop().getaddrinfo(host or LOOPBACK, port, type=socket.SOCK_STREAM)
    number = str(min(found, key=lambda one: one[0] == socket.AF_INET6)[4][0])
    if not number.startswith("127.") and number != "::1":
        raise NotHere(f"listen {address}: proxies of seeder listen on 127.0.0.1 alone")
    return number, port
