"""When a process is healthy: what the definition says, translated to something that can be asked from this machine."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seeder import process
from seeder.definition.stack import Service
from seeder.errors import EnvironmentFailed
from seeder.protocols import Address
from seeder.wait import READY, Verdict, not_yet

_SECONDS = 2.0  # what one look may take
_BAD_REQUEST = 400
_HTTP_PROGRAM = re.compile(r"\b(curl|wget|urllib|httpx|requests|fetch|http\.get)\b")
_URL = re.compile(r"(https?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$?\{?HOSTNAME\}?)(?::(\d+))?(/[^\s'\"|;&)]*)?")
_MORE_THAN_GET = re.compile(r"\||(?:^|\s)(?:-X|--request|-d|--data\S*|--post-\S+|-H|--header)\b|grep")


@dataclass(frozen=True)
class Check:
    """`says` names it, e.g. `GET /healthz`; `differs` says how it is not what the definition asks for, if so."""

    says: str
    kind: str  # http, tcp, command, alive
    port: int | None = None
    path: str = "/"
    scheme: str = "http"
    words: tuple[str, ...] = ()
    differs: str = ""


def check(service: Service, ports: tuple[int, ...]) -> Check:
    """x-seeder.ready, else the healthcheck, else an open port, else that the process lives. Pure but for a look for programs."""
    first = ports[0] if ports else None
    ready = service.x.ready
    if ready and ready.http is not None and (ready.port or first):
        return Check(f"GET {ready.http}", "http", ready.port or first, ready.http)
    if ready and ready.tcp is not None:
        return Check(f"port {ready.tcp} is open", "tcp", ready.tcp)
    words = _words(service)
    if words:
        return _http(words, ports) or _command(words, first)
    return _port(first)


def look(wanted: Check, own: Mapping[int, Address], command: Callable[[Check], process.Completed]) -> Verdict:
    """One observation. `command` runs a check of kind command, with addresses as the service would have them."""
    if wanted.kind == "command":
        return _look_command(wanted, command)
    if wanted.port is None:
        return READY
    address = own.get(wanted.port) or Address("127.0.0.1", wanted.port)
    return _look_http(wanted, address) if wanted.kind == "http" else _look_tcp(address)


def _words(service: Service) -> tuple[str, ...]:
    """The healthcheck's command, a shell line made into words for the shell."""
    health = service.healthcheck
    if health is None or health.disabled or not health.test or health.test[0] == "NONE":
        return ()
    if health.test[0] == "CMD-SHELL":
        return ("/bin/sh", "-c", *health.test[1:])
    return health.test[1:] if health.test[0] == "CMD" else health.test


def _http(words: tuple[str, ...], ports: tuple[int, ...]) -> Check | None:
    """A plain GET of the service itself, by whatever program, is asked from here: no program is needed and it is quicker."""
    text = " ".join(words)
    plain = text.removesuffix("|| exit 1").rstrip().replace("||", "")
    urls = _URL.findall(text)
    if len(urls) != 1 or not _HTTP_PROGRAM.search(text) or _MORE_THAN_GET.search(plain):
        return None
    scheme, port, path = urls[0]
    number = int(port) if port else {"http": 80, "https": 443}[scheme]
    if number not in ports:
        return None
    return Check(f"GET {path or '/'}", "http", number, path or "/", scheme)


def _command(words: tuple[str, ...], first: int | None) -> Check:
    line = words[-1] if words[:2] == ("/bin/sh", "-c") else " ".join(words)
    program = (line.split() or [""])[0]
    if words[0] != "/bin/sh" and shutil.which(words[0]) is None and not Path(words[0]).is_file():
        return _port(first, f"its healthcheck runs {words[0]}, which is not on this machine")
    if words[0] == "/bin/sh" and not _shell_knows(program):
        return _port(first, f"its healthcheck runs {program}, which is not on this machine")
    return Check(f"`{line}` on this machine", "command", words=words)


def _shell_knows(program: str) -> bool:
    return "=" in program or program in {"test", "[", "exit", "true", ":", "if", "!", "cd", "echo"} or shutil.which(program) is not None


def _port(first: int | None, why: str = "") -> Check:
    if first is None:
        return Check("its process lives", "alive", differs=why)
    return Check(f"port {first} is open", "tcp", first, differs=why)


def _look_command(wanted: Check, command: Callable[[Check], process.Completed]) -> Verdict:
    try:
        done = command(wanted)
    except EnvironmentFailed as error:
        return not_yet(error.problems[0].cause)
    return READY if done.code == 0 else not_yet(f"{wanted.says} ended with code {done.code}: {done.tail(1)}".rstrip(": "))


def _look_tcp(address: Address) -> Verdict:
    try:
        with socket.create_connection((address.host, address.port), timeout=_SECONDS):
            return READY
    except OSError as error:
        return not_yet(f"port {address.port}: {error.strerror or error}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer below 400."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _look_http(wanted: Check, address: Address) -> Verdict:
    url = f"{wanted.scheme}://{address}{wanted.path}"
    context = ssl._create_unverified_context() if wanted.scheme == "https" else None  # noqa: S323, SLF001  (itself, on loopback)
    https = urllib.request.HTTPSHandler(context=context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https, _NoRedirect())
    try:
        opener.open(url, timeout=_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return READY if error.code < _BAD_REQUEST else not_yet(f"{wanted.says} answers {error.code}")
    except OSError as error:
        reason = getattr(error, "reason", error)
        return not_yet(f"{wanted.says}: {getattr(reason, 'strerror', None) or reason}")
    except http.client.HTTPException as error:
        return not_yet(f"{wanted.says}: {type(error).__name__} {error}".rstrip())
    return READY
