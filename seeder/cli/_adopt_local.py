"""How a service runs as a process, where its command is one whose address options are known. Guesses nothing else."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from seeder.definition.service import Service
from seeder.frozen import frozen

PYTHON = {"uvicorn", "gunicorn", "hypercorn", "flask", "celery", "fastapi"}  # programs that are Python modules too
ADDRESS = {"uvicorn", "flask", "fastapi"}  # `--host H --port P`
BIND = {"gunicorn", "hypercorn"}  # `--bind H:P`
CMD = re.compile(r"^\s*CMD\s+(.+?)\s*$", re.IGNORECASE)
SHELL = re.compile(r"(.*/)?(ba)?sh -[el]*c")


@frozen
class Local:
    command: tuple[str, ...]
    cwd: str
    environment: dict[str, str] = field(default_factory=dict)


def local(service: Service, folder: Path) -> Local | None:
    """From the compose file's command, else from the Dockerfile's. None where it is not known how to give it an address."""
    words = _words(service) if service.home else []
    return _known(words, service, _cwd(service, folder)) if words else None


def guess(service: Service, folder: Path) -> Local | None:
    """Its command with the places of interpreter and address filled in, and the usual variable where no word says the port; whether it
    heeds them is not known. None without a command."""
    ports = {str(port.target) for port in service.ports}
    words = ["{host}" if word == "0.0.0.0" else "{port}" if word in ports else word for word in _words(service)]  # noqa: S104  (found)
    untold = service.ports and not any("{port}" in word for word in words)
    return Local(tuple(words), _cwd(service, folder), {"PORT": "{port}"} if untold else {}) if words else None


def flow(form: Local) -> str:
    """As one line of a compose file."""
    told = f", environment: {json.dumps(form.environment, ensure_ascii=False)}" if form.environment else ""
    return f"local: {{command: {json.dumps(form.command, ensure_ascii=False)}, cwd: {json.dumps(form.cwd, ensure_ascii=False)}{told}}}"


def _cwd(service: Service, folder: Path) -> str:
    return Path(os.path.relpath(service.home or folder, folder)).as_posix()


def _words(service: Service) -> list[str]:
    """The words of the command, python as a placeholder; none where a shell does more than start it."""
    build = service.build
    words = list(service.command) if service.command else _of_dockerfile(build.context / build.dockerfile) if build else []
    if len(words) == 3 and SHELL.fullmatch(" ".join(words[:2])):  # noqa: PLR2004  (sh -c LINE)
        words = _line(words[2])
    if words[:1] and re.fullmatch(r"(.*/)?python[\d.]*", words[0]):
        words = words[2:] if words[1:2] == ["-m"] and words[2:3] and words[2] in PYTHON else ["{python}", *words[1:]]
    return words


def _known(words: Sequence[str], service: Service, cwd: str) -> Local | None:
    program, *rest = words
    if program in ADDRESS:
        return Local(("{python}", "-m", program, *_without(rest, "--host", "--port", "-h", "-p", "--reload"), *HOST_PORT), cwd)
    if program in BIND:
        return Local(("{python}", "-m", program, *_without(rest, "--bind", "-b", "--reload"), "--bind", "{host}:{port}"), cwd)
    if program == "celery":
        return Local(("{python}", "-m", program, *rest), cwd)
    if program in ("{python}", "node") and (not service.ports or "PORT" in service.environment):
        return Local(tuple(words), cwd, {"PORT": "{port}"} if service.ports else {})
    return None


HOST_PORT = ("--host", "{host}", "--port", "{port}")


def _without(words: Sequence[str], *options: str) -> list[str]:
    """The words without these options and what they are given."""
    result: list[str] = []
    skip = False
    for word in words:
        name = word.partition("=")[0]
        if skip:
            skip = False
        elif name in options:
            skip = name != "--reload" and "=" not in word
        else:
            result.append(word)
    return result


def _of_dockerfile(path: Path) -> list[str]:
    """The last CMD; none when an entrypoint has a say in it."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    if re.search(r"^\s*ENTRYPOINT\b", text, re.IGNORECASE | re.MULTILINE):
        return []
    found = [match[1] for line in text.splitlines() if (match := CMD.match(line))]
    if not found:
        return []
    try:
        words = json.loads(found[-1])
    except ValueError:
        return _line(found[-1])
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else []


def _line(line: str) -> list[str]:
    """A shell's line as words; none when the shell does more than start one program."""
    if re.search(r"[;&|<>$`(){}*?\n]", line):
        return []
    try:
        return shlex.split(line)
    except ValueError:
        return []
