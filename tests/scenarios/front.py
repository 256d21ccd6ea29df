"""A socket in front of the docker daemon's, to be closed, or to answer as another daemon would, without touching the daemon."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from pathlib import Path

from seeder.docker_engine.endpoint import DEFAULT


class Front:
    """At a path, else on a port of this machine. `identity` replaces the daemon's own id (of the same length) in what it answers."""

    def __init__(self, path: Path | None = None, identity: tuple[str, str] | None = None) -> None:
        self._path = path
        self._identity = tuple(one.encode() for one in identity or ())
        self._open: dict[socket.socket, socket.socket] = {}  # who was accepted -> the daemon behind
        self._lock = threading.Lock()
        self._closed = False
        self._server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._server.bind(str(path) if path else ("127.0.0.1", 0))
        self._server.listen(64)
        self.url = f"unix://{path}" if path else f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more, and who was talking is cut off: without a farewell where it came over a port."""
        with self._lock:
            self._closed = True
            if self._path:
                self._path.unlink(missing_ok=True)
            for one in (self._server, *self._open.values(), *(self._open if self._path else ())):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            for caller in self._open:
                with contextlib.suppress(OSError):
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    caller.shutdown(socket.SHUT_RD)
                caller.close()
            self._open.clear()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._server.accept()
                behind = socket.socket(socket.AF_UNIX)
                behind.connect(os.environ.get("DOCKER_HOST", DEFAULT).removeprefix("unix://"))
                self._open[caller] = behind
                for source, sink in ((caller, behind), (behind, caller)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece.replace(*self._identity) if self._identity else piece)
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                sink.shutdown(socket.SHUT_WR)
