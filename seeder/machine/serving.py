"""What servers of seeder's own share on the wire: HTTP/1.1 by the standard library alone, a thread for each connection."""

from __future__ import annotations

import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_NO_LINGER: Final = struct.pack("ii", 1, 0)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""


class Handler(BaseHTTPRequestHandler):
    """Has every request answered by `received`, whatever its method."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.received
        raise AttributeError(name)

    def received(self) -> None:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class calls it so)
        """Told by the server in words of its own."""

    def body(self) -> bytes:
        """What came with the request, in one or in chunks."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)


def reset_when_closed(one: socket.socket) -> None:
    """Closing it sends a reset instead of an end."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
