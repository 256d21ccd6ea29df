"""A healthcheck as seeder looks at it, the same on every runtime: an HTTP question that can be asked from here, else a command.

Reading one is pure; `get` and `connect` are the only questions on the wire.
"""

from __future__ import annotations

import re
import shlex
import socket
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from seeder.definition.service import Healthcheck, Service
from seeder.frozen import frozen
from seeder.passed.target import Address
from seeder.wait import READY, Verdict, not_yet

ANSWERS = "answers"  # begins the reason of a verdict on a service that spoke HTTP
BAD = 400  # an answer from here on is an error; `curl` without --fail takes those too
GET_SECONDS, CONNECT_SECONDS = 5.0, 2.0  # what one question may take
CLOSES_SECONDS = 0.1  # within which Docker's proxy gives up a connection that nobody inside takes
LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104  (names in a URL, nothing listens)
URLOPEN = re.compile(
    r"""(?:[\w.]+\.)?urlopen\(\s*(['"])(?P<url>http://[^'"]+)\1\s*(?:,\s*(?:timeout\s*=\s*)?[\d.]+\s*)?\)(?:\.read\(\))?"""
)
IMPORTS = re.compile(r"import\s+urllib\.request(\s+as\s+\w+)?|from\s+urllib\.request\s+import\s+urlopen|import\s+sys|[\s;]")
METER = re.compile(
    r"\s*%\s+Total\s+%.*|\s*Dload\s+Upload.*|(\s*\d[\d.]*[kMGTP]?){8}(\s+[-\d]+:[-\d]+:[-\d]+){3}\s+\d[\d.]*[kMGTP]?"
)  # curl draws it
SAID = 200  # characters of what a check said that are worth telling
HARMLESS = {  # options that change neither the question nor what counts as an answer; True: an argument follows
    "curl": {
        "-f": False, "--fail": False, "-s": False, "--silent": False, "-S": False, "--show-error": False, "-L": False, "--location": False,
        "-o": True, "--output": True, "-m": True, "--max-time": True, "--connect-timeout": True, "-I": False, "--head": False,
        "--retry": True, "-4": False,
    },
    "wget": {
        "-q": False, "--quiet": False, "--spider": False, "-O": True, "--no-verbose": False, "-nv": False, "-T": True, "--timeout": True,
        "-t": True, "--tries": True, "--no-check-certificate": False, "-S": False,
    },
}  # fmt: skip


@frozen
class Check:
    """`command` runs inside; where `path` is given, a GET of it on `port` says the same: an answer below `below` is well."""

    command: tuple[str, ...]
    timeout: float = 30.0
    port: int | None = None
    path: str = ""
    host: str = ""  # the Host header as the check itself would send it
    below: int = BAD


def of_service(service: Service) -> Check | None:
    """The compose file's own healthcheck; None when it has none or switches it off."""
    check = service.healthcheck
    return None if check is None or check.disabled else _of(check)


def of_image(healthcheck: Mapping[str, Any] | None) -> Check | None:
    """The image's healthcheck as the API tells it."""
    test = tuple((healthcheck or {}).get("Test") or ())
    if not test or test[0] == "NONE":
        return None
    return _of(Healthcheck(test=test, timeout=(healthcheck or {}).get("Timeout", 0) / 1e9 or 30.0))


def said(output: str) -> str:
    """The last line by which a check says something, from its end where it is long: a progress meter says nothing."""
    lines = [" ".join(METER.sub("", line).split()) for line in output.splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return last if len(last) <= SAID else f"...{last[-SAID:].partition(' ')[2]}"


def _of(check: Healthcheck) -> Check | None:
    kind, *words = check.test or ("NONE",)
    if kind not in ("CMD", "CMD-SHELL") or not words:
        return None
    command = ("/bin/sh", "-c", *words) if kind == "CMD-SHELL" else tuple(words)
    asked = _question(_words(words[0]) if kind == "CMD-SHELL" else words)
    if asked is None:
        return Check(command, check.timeout)
    url, below = asked
    return Check(command, check.timeout, url.port or 80, _path(url), url.netloc, below)


def _words(script: str) -> list[str]:
    """A shell line as words, if it is one plain command, at most with `|| exit 1` after it; else nothing."""
    plain = re.sub(r"\s*\|\|\s*exit\s+1\s*;?\s*$", "", script.strip())
    plain = re.sub(r"(\s+([12&]?>\s*/dev/null|2>&1))+\s*$", "", plain)
    try:
        words = shlex.split(plain)
    except ValueError:
        return []
    quoted_script = len(words) == 3 and words[1] == "-c"  # noqa: PLR2004  (python -c '...')
    return [] if re.search(r"[|&;<>`$]", plain) and not quoted_script else words


def _question(words: Sequence[str]) -> tuple[urllib.parse.SplitResult, int] | None:
    """The URL that the command asks on its own machine and the status from which an answer counts as bad."""
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    if re.fullmatch(r"python[\d.]*", program) and len(words) == 3 and words[1] == "-c":  # noqa: PLR2004
        return _of_python(words[2])
    if program not in HARMLESS:
        return None
    urls = _arguments(words[1:], HARMLESS[program])
    if urls is None or len(urls) != 1:
        return None
    fails = program == "wget" or any(re.fullmatch(r"--fail|-[a-zA-Z]*f[a-zA-Z]*", word) for word in words[1:])
    return _local(urls[0], BAD if fails else 600)


def _arguments(words: Sequence[str], known: Mapping[str, bool]) -> list[str] | None:
    """What is no option; None when there is an option whose meaning is not known here."""
    result, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            result.append(word)
            continue
        name = word.partition("=")[0]
        takes = known[name] and name == word if name in known else _cluster(word, known)
        if takes is None:
            return None
        if takes and rest:
            rest.pop(0)
    return result


def _cluster(word: str, known: Mapping[str, bool]) -> bool | None:
    """Of letters written together (-sSf, -qO-): whether an argument follows; None for an unknown letter."""
    for after, letter in enumerate(word[1:], start=2):
        takes = known.get(f"-{letter}")
        if takes is None:
            return None
        if takes:
            return after == len(word)  # else the rest of the word is the argument
    return False


def _of_python(script: str) -> tuple[urllib.parse.SplitResult, int] | None:
    """`import urllib.request; urllib.request.urlopen('http://...')` and nothing more."""
    found = URLOPEN.search(script)
    if not found or IMPORTS.sub("", URLOPEN.sub("", script)):
        return None
    return _local(found["url"], BAD)


def _local(text: str, below: int) -> tuple[urllib.parse.SplitResult, int] | None:
    url = urllib.parse.urlsplit(text if "//" in text else f"http://{text}")
    try:
        port = url.port or 80
    except ValueError:
        return None
    return (url, below) if url.scheme == "http" and url.hostname in LOCAL and not url.username and port else None


def _path(url: urllib.parse.SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


# -- on the wire ------------------------------------------------------------------------------------------------------


def get(address: Address, path: str, host: str = "", below: int = BAD) -> Verdict:
    """One GET, without proxies; redirects are answers and are not followed. `host` is sent as the Host header."""
    import http.client

    connection = http.client.HTTPConnection(address.host, address.port, timeout=GET_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return not_yet(f"GET {path}: no answer at {address} ({reason})")
    finally:
        connection.close()
    return READY if status < below else not_yet(f"{ANSWERS} GET {path} with {status}")


def connect(address: Address) -> Verdict:
    """Whether somebody takes a connection and keeps it."""
    try:
        with socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS) as connection:
            connection.settimeout(CLOSES_SECONDS)
            return READY if _stays_open(connection) else not_yet(f"{address} closes the connection")
    except OSError as error:
        return not_yet(f"{address}: {error.strerror or error}")


def _stays_open(connection: socket.socket) -> bool:
    """Docker's proxy accepts before the service does, and closes at once when there is nobody behind it."""
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
