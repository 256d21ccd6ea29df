"""Which docker daemon is meant, as the docker command sees it."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import socket
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen

DEFAULT = "unix:///var/run/docker.sock" if os.name == "posix" else "npipe:////./pipe/docker_engine"
KNOCK_SECONDS = 5.0
EVERYWHERE = "0.0.0.0"  # noqa: S104  (of another machine whose addresses are not known here)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Absent(LookupError):
    """The engine says that there is no such thing."""


@frozen
class Endpoint:
    """The daemon that the docker command would talk to; `host` is where its published ports are reached from here."""

    url: str | None = None  # None: the platform's own default
    host: str = "127.0.0.1"
    tls: Path | None = None  # the folder of ca.pem, cert.pem and key.pem
    verify: bool = True

    @property
    def place(self) -> str:
        """Where it is looked for."""
        return self.url or DEFAULT

    @property
    def remote(self) -> bool:
        return self.host not in LOOPBACK

    @property
    def listens(self) -> str:
        """Where published ports listen there: at the address by which the daemon's machine is known here, so that seeder reaches them
        and other networks of that machine do not; at every address where its name cannot be resolved here."""
        return address(self.host) or EVERYWHERE

    @property
    def reach(self) -> str:
        """The variables by which a user means this daemon."""
        tls = [f"DOCKER_CERT_PATH={self.tls}", *(["DOCKER_TLS_VERIFY=1"] if self.verify else [])] if self.tls else []
        return " ".join([f"DOCKER_HOST={self.place}", *tls])

    def knock(self) -> None:
        """Raise OSError within seconds when nobody is there; the SDK would take a minute, and leave its socket open."""
        parts = urllib.parse.urlsplit(self.place)
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(KNOCK_SECONDS)
                caller.connect(parts.path)
        elif parts.scheme in ("tcp", "http", "https") and parts.hostname:
            socket.create_connection((parts.hostname, parts.port or 2375), timeout=KNOCK_SECONDS).close()

    def version(self) -> str | None:
        """The engine's version. None when it cannot be asked plainly, or when what answers is no engine."""
        try:
            return str(self.ask("/version", KNOCK_SECONDS)["Version"])
        except (OSError, LookupError, TypeError):
            return None

    def ask(self, path: str, within: float = 60.0) -> Any:
        """What the engine answers to a GET, asked without the SDK, whose import takes longer than the answer. None when it cannot be
        asked plainly (TLS, ssh), or when it has no answer in JSON. Raises OSError when nobody is there, Absent when it knows no such
        thing."""
        parts = urllib.parse.urlsplit(self.place)
        if self.tls or parts.scheme not in ("unix", "tcp", "http"):
            return None
        unix, place = parts.scheme == "unix", (parts.hostname, parts.port or 2375)
        with socket.socket(socket.AF_UNIX) if unix else socket.create_connection(place, KNOCK_SECONDS) as caller:
            caller.settimeout(KNOCK_SECONDS)
            if unix:
                caller.connect(parts.path)
            caller.settimeout(within)
            caller.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
            head, _, body = b"".join(iter(lambda: caller.recv(65536), b"")).partition(b"\r\n\r\n")
        try:
            status, answer = head.split()[1], json.loads(body)
        except (ValueError, LookupError):
            return None
        said = str(answer.get("message")) if isinstance(answer, dict) else ""
        if status == b"404" and "no such" in said.lower():  # else it is the question that is unknown
            raise Absent(said)
        return answer if status == b"200" else None


def endpoint(variables: Mapping[str, str] = os.environ) -> Endpoint:
    """DOCKER_HOST, else the context of DOCKER_CONTEXT or of the docker configuration, else the default socket."""
    folder = Path(variables.get("DOCKER_CONFIG") or "~/.docker").expanduser()
    if url := variables.get("DOCKER_HOST"):
        tls = Path(variables.get("DOCKER_CERT_PATH") or folder) if variables.get("DOCKER_TLS_VERIFY") else None
        return Endpoint(url, _host(url), tls)
    context = variables.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext") or "default"
    if context == "default":
        return Endpoint()
    digest = hashlib.sha256(context.encode()).hexdigest()
    found = _read(folder / "contexts/meta" / digest / "meta.json").get("Endpoints", {}).get("docker", {})
    if not found.get("Host"):
        raise EnvironmentFailed("docker", f"there is no docker context {context}", "see `docker context ls`")
    tls_folder = folder / "contexts/tls" / digest / "docker"
    return Endpoint(found["Host"], _host(found["Host"]), tls_folder if tls_folder.is_dir() else None, not found.get("SkipTLSVerify"))


def resolved(host: str) -> list[str]:
    """The addresses of a name, none where it has none."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError:
        return []


def address(host: str, resolve: Callable[[str], Sequence[str]] = resolved) -> str | None:
    """The host as a number, of several ones the first of IPv4. None for a name that has none."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return min(resolve(host), key=lambda one: ":" in one, default=None)


def _host(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("tcp", "ssh", "http", "https") or not parts.hostname:
        return "127.0.0.1"
    return "127.0.0.1" if parts.hostname in LOOPBACK else parts.hostname


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
