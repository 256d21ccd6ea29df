"""The server on the wire: HTTP/1.1, one thread for each connection, answers and faults as mappings say."""

from __future__ import annotations

import base64
import errno
import hmac
import json
import signal
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from seeder.engines.stubserver import admin
from seeder.engines.stubserver.matching import Request
from seeder.engines.stubserver.state import Mapped, State
from seeder.machine import serving

_GARBAGE: Final = b"lskdu018973t09sylgasjkfg1][]'./.sdlv"
_BODILESS: Final = (204, 304)


def serve(state: State, host: str, port: int, auth: str | None) -> None:
    """Until SIGTERM. `auth`: `user:password` that the admin API asks for."""
    with _Server((host, port), _Handler) as server:
        server.state, server.auth = state, auth
        signal.signal(signal.SIGTERM, lambda *_: server.end())
        print(f"listening on {host}:{port}", flush=True)  # noqa: T201  (its log)
        server.serve_forever(poll_interval=0.1)


class _Server(serving.Server):
    state: State
    auth: str | None

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ending = threading.Event()

    def end(self) -> None:
        """From a signal: `shutdown` waits for the loop that the signal came into."""
        self.ending.set()
        threading.Thread(target=self.shutdown).start()


class _Handler(serving.Handler):
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def received(self) -> None:
        request = Request(self.command, self.path, tuple(self.headers.items()), self.body(), self.client_address[0])
        if request.path == admin.ROOT or request.path.startswith(f"{admin.ROOT}/"):
            self._administer(request)
            return
        mapping = self.server.state.serve(request)
        if mapping is None:
            self._unmatched(request)
        else:
            self._respond(request, mapping)

    def _administer(self, request: Request) -> None:
        if self.server.auth is not None and not self._allowed(request, self.server.auth):
            self._send(401, [("WWW-Authenticate", 'Basic realm="wiremock"')], b"")
            return
        found = admin.answer(self.server.state, request)
        self._send(found.status, [("Content-Type", "application/json")], json.dumps(found.body).encode())

    def _allowed(self, request: Request, auth: str) -> bool:
        wanted = f"Basic {base64.b64encode(auth.encode()).decode()}"
        return any(hmac.compare_digest(given.encode(), wanted.encode()) for given in request.header("Authorization"))

    def _unmatched(self, request: Request) -> None:
        known = [_asked(mapping) for mapping in self.server.state.mappings()]
        text = "\n".join([f"Request was not matched: {request.method} {request.url}", "", "Stub mappings:", *known])
        if not known:
            text = "No response could be served as there are no stub mappings in this WireMock instance."
        body = text.encode()
        headers = [("Content-Type", "text/plain")]
        self.server.state.keep(request, None, _written(404, headers, body))
        self._send(404, headers, body)
        self._told(request, "404, not matched")

    def _respond(self, request: Request, mapping: Mapped) -> None:
        definition = mapping["response"]
        headers = [*_headers(definition.get("headers") or {}), ("Matched-Stub-Id", mapping["id"])]
        if mapping.get("name"):
            headers.append(("Matched-Stub-Name", mapping["name"].encode("ascii", "replace").decode()))
        try:
            status, body = int(definition["status"]), _content(definition, self.server.state.files)
        except OSError as error:
            status, body = 500, f"{definition.get('bodyFileName')}: {error.strerror}".encode()
        shown = {"fault": definition["fault"]} if definition.get("fault") else _written(status, headers, body)
        self.server.state.keep(request, mapping, shown)
        self.server.ending.wait((definition.get("fixedDelayMilliseconds") or 0) / 1000)
        self._told(request, f"{definition.get('fault') or status} by {mapping.get('name') or mapping['id']}")
        if fault := definition.get("fault"):
            self._break(fault)
        else:
            self._send(status, headers, body, definition.get("statusMessage"))

    def _break(self, fault: str) -> None:
        self.close_connection = True
        if fault == "MALFORMED_RESPONSE_CHUNK":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + _GARBAGE)
        elif fault == "RANDOM_DATA_THEN_CLOSE":
            self.wfile.write(_GARBAGE)
        elif fault == "CONNECTION_RESET_BY_PEER":
            serving.reset_when_closed(self.connection)
            self.connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, reason: str | None = None) -> None:
        with suppress(ConnectionError):
            self.send_response_only(status, reason)
            for name, value in headers:
                self.send_header(name, value)
            if status not in _BODILESS and not any(name.lower() == "content-length" for name, _ in headers):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status not in _BODILESS and self.command != "HEAD":
                self.wfile.write(body)

    def _told(self, request: Request, what: str) -> None:
        print(f"{request.method} {request.path}: {what}", flush=True)  # noqa: T201  (its log)


def _asked(mapping: Mapped) -> str:
    request = mapping["request"]
    url = next((str(request[name]) for name in ("url", "urlPath", "urlPattern", "urlPathPattern") if name in request), "any URL")
    return f"  {request['method']} {url}" + (f" ({mapping['name']})" if mapping.get("name") else "")


def _headers(given: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, values in given.items() for value in (values if isinstance(values, list) else [values])]


def _content(definition: Mapped, files: Mapping[str, Path]) -> bytes:
    """The body of the answer. Raises OSError for a file that is not there."""
    if "jsonBody" in definition:
        return json.dumps(definition["jsonBody"], ensure_ascii=False, separators=(",", ":")).encode()
    if "base64Body" in definition:
        return base64.b64decode(str(definition["base64Body"]))
    if name := definition.get("bodyFileName"):
        return files[name].read_bytes() if name in files else _absent(name)
    return str(definition.get("body") or "").encode()


def _absent(name: str) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "is not in __files", name)


def _written(status: int, headers: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    return {
        "status": status,
        "headers": dict(headers),
        "bodyAsBase64": base64.b64encode(body).decode(),
        "body": body.decode("utf-8", "replace"),
    }
