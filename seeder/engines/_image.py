"""What an engine's image would make of a service's definition: its version, its variables, its command, what is mounted into it."""

from __future__ import annotations

import re
import shlex
import string
from pathlib import Path, PurePosixPath

from seeder.definition import image
from seeder.definition.service import Mount, Service
from seeder.errors import DefinitionError

_OPERATORS = {"&&", "||", ";", "|", "&"}


def repository(service: Service) -> str:
    """The image's name without registry, tag and digest, `bitnami/postgresql`; empty when it has none."""
    return image.repository(service.image or "")


def major(service: Service) -> int | None:
    """The engine's major version as the tag tells it (`17.2-alpine`, `pg17`, `2.17-pg16`), or None."""
    tag = image.tag(service.image or "")
    found = re.search(r"pg(\d+)", tag) or re.match(r"v?(\d+)", tag)
    return int(found[1]) if found else None


def variable(service: Service, *names: str) -> str | None:
    """The first of the variables that has a value; `<NAME>_FILE` is read from what is mounted there."""
    for name in names:
        if value := service.environment.get(name):
            return value
        if path := service.environment.get(f"{name}_FILE"):
            return _file(service, name, path)
    return None


def _file(service: Service, name: str, path: str) -> str:
    text = mounted_text(service, path)
    if text is None:
        raise DefinitionError(
            service.name,
            f"{name}_FILE names {path}, and nothing is mounted there",
            "add the secret to the service's `secrets:`",
            service.mark,
        )
    return text.rstrip("\n")


def mounted_text(service: Service, path: str) -> str | None:
    """The text of a file inside the container that comes from a bind, config or secret; None when nothing is mounted there."""
    mount = _mount_over(service, path)
    if mount is None:
        return None
    if mount.content is not None:
        return mount.content
    host = mounted_path(service, path)
    try:
        return host.read_text(encoding="utf-8") if host else None
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DefinitionError(service.name, f"cannot read {host}, mounted at {path}: {cause}", "", service.mark) from error


def mounted_path(service: Service, path: str) -> Path | None:
    """Where a path inside the container comes from on this machine."""
    mount = _mount_over(service, path)
    if mount is None or mount.source is None or mount.kind == "volume":
        return None
    return Path(mount.source) / PurePosixPath(path).relative_to(mount.target)


def _mount_over(service: Service, path: str) -> Mount | None:
    over = [mount for mount in service.mounts if PurePosixPath(path).is_relative_to(mount.target)]
    return max(over, key=lambda mount: len(PurePosixPath(mount.target).parts), default=None)


def arguments(service: Service, program: str) -> list[str]:
    """What the service's entrypoint and command give to the server program, itself left out; `sh -c` lines are read like argument lists."""
    words = [*(service.entrypoint or ()), *(service.command or ())]
    for index, word in enumerate(words[:-1]):
        if word == "-c" and index > 0 and PurePosixPath(words[index - 1]).name in {"sh", "bash", "ash"}:
            line = string.Template(words[index + 1]).safe_substitute(service.environment)
            words = split(service, line)
            break
    for index, word in enumerate(words):
        if PurePosixPath(word).name == program:
            words = words[index + 1 :]
            break
    return _until_operator(words)


def split(service: Service, line: str) -> list[str]:
    """The words of a line as a shell reads them. Raises DefinitionError when a quote is not closed."""
    try:
        return shlex.split(line, comments=False)
    except ValueError as error:
        cause = f"its server's options cannot be read: {str(error).lower()}"  # the line itself may hold a password
        raise DefinitionError(service.name, cause, "close the quote, or escape it", service.mark) from None


def number(service: Service, name: str, text: str) -> int:
    """A port as the service's definition gives it. Raises DefinitionError when it is none."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16):
        raise DefinitionError(service.name, f"{name} is no port: {text!r}", "give a number from 1 to 65535", service.mark)
    return int(text)


def _until_operator(words: list[str]) -> list[str]:
    end = next((index for index, word in enumerate(words) if word in _OPERATORS), len(words))
    return words[:end]
