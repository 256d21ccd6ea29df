"""`.http` files: requests in the order in which they are sent, `###` between them.

### place an order
# expect 201
POST /orders
Idempotency-Key: 7

{"customer_id": 7, "placed_at": "as_of-2d"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from seeder.errors import DefinitionError, Mark, Problem
from seeder.frozen import frozen
from seeder.loaders import _mistakes

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_EXPECT: Final = re.compile(r"(?:#|//)\s*expect\b\s*(?P<status>.*)", re.IGNORECASE)
_NAME: Final = re.compile(r"(?:#|//)\s*@?name\b[\s:=]*(?P<name>.+)", re.IGNORECASE)
_HEADER: Final = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>.*)")
_START: Final = re.compile(r"(?P<method>[A-Za-z]+)\s+(?P<path>\S+)(?:\s+HTTP/[\d.]+)?")
_STATUS: Final = re.compile(r"[1-5]\d\d")


@frozen
class Request:
    """One request; `expect` is the status it must be answered with, None any below 400."""

    line: int
    method: str
    path: str
    name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    expect: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" ({self.name})" if self.name else "")


def read(path: Path) -> tuple[Request, ...]:
    """Every request of the file. Raises DefinitionError with all that are badly written."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _mistakes.unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path.name, "the file is not UTF-8 text", "save it as UTF-8", Mark(path, 1)) from error
    found = [_request(path, *block) for block in _blocks(text)]
    _mistakes.refuse(path, (problem for problem in found if isinstance(problem, Problem)))
    return tuple(request for request in found if isinstance(request, Request))


def _blocks(text: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """The name after `###` and the numbered lines of each request; blocks without a request are passed over."""
    name, lines = "", list[tuple[int, str]]()
    for number, line in enumerate([*text.splitlines(), "###"], 1):
        if not line.startswith("###"):
            lines.append((number, line))
            continue
        if any(held.strip() and not _is_comment(held) for _, held in lines):
            yield name, lines
        name, lines = line[3:].strip(), []


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def _request(path: Path, name: str, lines: list[tuple[int, str]]) -> Request | Problem:
    notes, rest = list[tuple[int, str]](), list(lines)
    while not rest[0][1].strip() or _is_comment(rest[0][1]):
        notes.append(rest.pop(0))
    line, start = rest.pop(0)
    headers: dict[str, str] = {}
    while rest and rest[0][1].strip():
        number, text = rest.pop(0)
        header = _HEADER.fullmatch(text.strip())
        if header is None and not _is_comment(text):
            remedy = "write `Name: value`; a blank line stands before the body"
            return Problem(name or start, f"{text!r} is no header", remedy, Mark(path, number))
        if header:
            headers[header["name"]] = header["value"].strip()
    try:
        method, target = _target(start)
        expect = _expected(notes)
    except ValueError as error:
        return Problem(name or start, str(error), "write `METHOD /path`, and `# expect 201` above it", Mark(path, line))
    body = "\n".join(text for _, text in rest).strip()
    return Request(line, method, target, name or _named(notes), headers, body, expect)


def _target(start: str) -> tuple[str, str]:
    match = _START.fullmatch(start.strip())
    if match is None:
        raise ValueError(f"{start!r} is no request")
    if match["method"].upper() not in _METHODS:
        raise ValueError(f"{match['method']} is no method; known: {', '.join(_METHODS)}")
    if not match["path"].startswith("/"):
        raise ValueError(f"{match['path']!r} is no path; the service's address is found by its folder, so a path begins with /")
    return match["method"].upper(), match["path"]


def _expected(notes: list[tuple[int, str]]) -> int | None:
    found = next((match for _, text in notes if (match := _EXPECT.fullmatch(text.strip()))), None)
    if found is None:
        return None
    if not _STATUS.fullmatch(found["status"].strip()):
        raise ValueError(f"{found['status']!r} is no HTTP status")
    return int(found["status"])


def _named(notes: list[tuple[int, str]]) -> str:
    return next((match["name"].strip() for _, text in notes if (match := _NAME.fullmatch(text.strip()))), "")
