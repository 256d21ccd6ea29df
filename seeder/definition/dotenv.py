"""Files of variables (`.env`, `env_file`), as compose reads them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from seeder.definition.interpolate import Invalid, Lookup, interpolate
from seeder.errors import Collector, Mark

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_EXPORT = re.compile(r"export[ \t]+")
_KEY = re.compile(r"([\w.\-\[\] \t]*?)[ \t]*(?:([=:])[^\S\n]*|(?=\n|\Z))")
_QUOTED = re.compile(r"""(['"])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)
_ESCAPED = re.compile(r'\\([abfnrtv$"\\]|0[0-7]{1,3})')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}


def variables_of(folder: Path) -> dict[str, str]:
    """What compose takes variables from: the project's `.env`, and the environment above it."""
    written = read_variables(folder / ".env", os.environ.get, Collector()) if (folder / ".env").is_file() else {}
    return {**written, **os.environ}


def read_variables(path: Path, lookup: Lookup, problems: Collector) -> dict[str, str]:
    """The variables of a file. Values may name variables: of `lookup` first, then of the lines before. A name alone takes
    its value from `lookup`. What is wrong goes to `problems`; reading ends there."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
        cause = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or str(error)
        problems.add(path.name, f"the file cannot be read: {cause}", mark=Mark(path, 1))
        return {}
    found: dict[str, str] = {}
    at = _end(_BLANK, text, 0)
    while at < len(text):
        try:
            at = _statement(text, at, found, lookup)
        except Invalid as error:
            problems.add(path.name, str(error), error.remedy, Mark(path, text.count("\n", 0, at) + 1))
            break
    return found


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _statement(text: str, at: int, found: dict[str, str], lookup: Lookup) -> int:
    """Read one assignment; answer where the next one begins."""
    start = _end(_EXPORT, text, at)
    key = _KEY.match(text, start)
    if key is None or " " in key[1] or "\t" in key[1] or not key[1]:
        line = text[at:].partition("\n")[0]
        raise Invalid(f"{line!r} is no assignment of a variable", "write NAME=value")
    name, separator = key.groups()
    if separator is None:
        inherited = lookup(name)
        if inherited is not None:
            found[name] = inherited
        return _end(_BLANK, text, key.end())

    def known(variable: str) -> str | None:
        value = lookup(variable)
        return value if value is not None else found.get(variable)

    found[name], end = _value(text, key.end(), known)
    return _end(_BLANK, text, end)


def _value(text: str, at: int, known: Lookup) -> tuple[str, int]:
    if text[at : at + 1] not in ("'", '"') or at >= len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        return interpolate(text[at:end].partition(" #")[0].rstrip(), known), end
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise Invalid(f"the quote {text[at]} is not closed", "close it")
    quote, inside = quoted.groups()
    inside = inside.replace(f"\\{quote}", quote)
    if quote == '"':
        inside = interpolate(_ESCAPED.sub(_unescaped, inside), known)
    return inside, quoted.end()


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "0":
        return chr(int(code, 8) % 256)
    return _ESCAPES.get(code, code)
