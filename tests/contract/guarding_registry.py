"""A door before a registry that lets in who has a token for what is asked, as the registries of the large hosts do.

https://distribution.github.io/distribution/spec/auth/token/: a request without a fitting token is answered by 401 with the realm and scope
of one; the realm gives it to who is known.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from tests.fakes.answering import answering

KNOWN = "Basic " + base64.b64encode(b"acme:correct-horse").decode()


class Door(BaseHTTPRequestHandler):
    behind: str
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/token"):
            self.give_token()
            return
        wanted = self.scope()
        if self.headers.get("Authorization", "") not in {f"Bearer {scope}" for scope in (wanted, f"{wanted},push") if scope}:
            realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="acme",scope="{wanted}"'
            self.answer(401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "who are you?"}]}', {"Www-Authenticate": realm})
            return
        connection = http.client.HTTPConnection(self.behind)
        connection.request(self.command, self.path, body, dict(self.headers))
        found = connection.getresponse()
        self.answer(found.status, found.read(), dict(found.getheaders()))
        connection.close()

    def scope(self) -> str:
        """Reading, or reading and writing, of one repository."""
        found = re.match(r"/v2/(.+)/(?:blobs|manifests|tags)/", self.path)
        writes = self.command not in ("GET", "HEAD")
        return f"repository:{found[1]}:pull{',push' if writes else ''}" if found else "registry:catalog:*"

    def give_token(self) -> None:
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("scope", [""])[0]
        if self.headers.get("Authorization") == KNOWN:
            self.answer(200, json.dumps({"token": asked}).encode(), {})
        else:
            self.answer(401, b"{}", {})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        length = headers.get("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
    setattr(Door, f"do_{method}", Door.pass_on)


@contextlib.contextmanager
def guarded(host: str) -> Iterator[str]:
    """HOST:PORT of the door."""
    with answering(type("DoorTo", (Door,), {"behind": host})) as port:
        yield f"127.0.0.1:{port}"
