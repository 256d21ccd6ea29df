"""Servers that the contract of Toxiproxy is asked of: the one that seeder brings, and the real one; and what stands behind them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seeder.errors import EnvironmentFailed
from seeder.faults.client import Toxiproxy
from seeder.faults.proxyserver.server import Server
from seeder.wait import READY, Verdict, not_yet, wait_for

REAL = "ghcr.io/shopify/toxiproxy:2.12.0"


@contextmanager
def embedded() -> Iterator[str]:
    """The URL of its API."""
    server, ended = Server("127.0.0.1", 0, seed=1), threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        end = asyncio.Event()
        loops.append((asyncio.get_running_loop(), end))
        ended.set()
        await server.serve(end)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ended.wait(10)
    try:
        yield f"http://{server.address[0]}:{server.address[1]}"
    finally:
        loop, end = loops[0]
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def real() -> Iterator[str]:
    """In a container that has the network of this machine, so that it reaches what tests listen on."""
    port = free_port()
    words = ["docker", "run", "--rm", "--detach", "--network", "host", "--label", "seeder.test=toxiproxy", REAL]
    name = subprocess.run([*words, "-host", "127.0.0.1", "-port", str(port)], capture_output=True, text=True, check=True).stdout.strip()
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for("toxiproxy", lambda: answers(url), within=30)
        yield url
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


def answers(url: str) -> Verdict:
    with contextlib.closing(Toxiproxy(url)) as client:
        try:
            client.version()
        except EnvironmentFailed as error:
            return not_yet(str(error))
        return READY


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Echo(socketserver.BaseRequestHandler):
    """Answers with what it gets, until the client has no more; then says goodbye."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)
            self.request.sendall(b"bye")


@contextmanager
def echo() -> Iterator[str]:
    """The address of a server that answers with what it gets."""

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 512
        allow_reuse_address = True

    with Threads(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def dial(address: str, within: float = 20) -> Iterator[socket.socket]:
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=within) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield one


def received(one: socket.socket, size: int) -> bytes:
    """That many bytes, or fewer where the stream ends before."""
    parts, left = [], size
    while left and (part := one.recv(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def reset(one: socket.socket) -> None:
    """Close it as a program that crashed does."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
