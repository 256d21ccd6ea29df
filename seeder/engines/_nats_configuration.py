"""Reads a NATS server configuration: maps, lists, sizes, variables and includes, as the server does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>[\s,;]+|\#[^\n]*|//[^\n]*)|(?P<mark>[{}\[\]()=:])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'"""
    r"""|(?P<word>[^\s,;{}\[\]()=:"'#](?:[^\s,;{}\[\]()="'#]*[^\s,;{}\[\]()="':#])?)""",
    re.DOTALL,
)
_SIZES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

Include = Callable[[str], str]


class Unreadable(ValueError):
    """The text is no NATS configuration; says why."""


def parse(text: str, environment: Mapping[str, str], include: Include) -> dict[str, Any]:
    """The configuration as dicts, lists, text and numbers. `include` gives the text of an included file. Raises Unreadable."""
    return _Reader(_tokens(text), environment, include).map(end=None, scope={})


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(f"line {text.count(chr(10), 0, place) + 1}: {text[place : place + 20]!r} is not understood")
        kind = match.lastgroup or ""
        if kind == "double":
            found.append(("text", re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), match[kind])))
        elif kind != "space":
            found.append(("text" if kind == "single" else kind, match[kind]))
        place = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], environment: Mapping[str, str], include: Include) -> None:
        self._tokens = tokens
        self._place = 0
        self._environment = environment
        self._include = include

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise Unreadable("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _skip(self, *marks: str) -> None:
        if self._place < len(self._tokens) and self._tokens[self._place] in {("mark", mark) for mark in marks}:
            self._place += 1

    def map(self, end: str | None, scope: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._place < len(self._tokens):
            kind, name = self._next()
            if (kind, name) == ("mark", end):
                return found
            if kind == "mark":
                raise Unreadable(f"{name!r} where a name should be")
            if (kind, name) == ("word", "include"):
                found |= parse(self._include(self._next()[1]), self._environment, self._include)
            else:
                self._skip("=", ":")
                found[name] = self._value({**scope, **found})
        if end is not None:
            raise Unreadable(f"{end!r} is missing at the end")
        return found

    def _value(self, scope: dict[str, Any]) -> Any:
        kind, text = self._next()
        if kind == "text":
            return text
        if (kind, text) == ("mark", "{"):
            return self.map("}", scope)
        if (kind, text) == ("mark", "["):
            return self._list(scope)
        if kind == "mark":
            raise Unreadable(f"{text!r} where a value should be")
        return self._word(text, scope)

    def _list(self, scope: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        while self._place < len(self._tokens) and self._tokens[self._place] != ("mark", "]"):
            found.append(self._value(scope))
        self._next()
        return found

    def _word(self, word: str, scope: dict[str, Any]) -> Any:
        if word.startswith("$"):
            name = word[1:]
            if name not in scope and name not in self._environment:
                raise Unreadable(f"the variable {word} is not set")
            return scope[name] if name in scope else scalar(self._environment[name])
        return scalar(word)


def scalar(word: str) -> Any:
    """A bare word as the server reads it: true, 8222, 1.5, 64MB, or text."""
    if word.lower() in {"true", "yes", "on"}:
        return True
    if word.lower() in {"false", "no", "off"}:
        return False
    if size := re.fullmatch(r"(-?\d+)([kmgt]?)(i?b|i)?", word, re.IGNORECASE):
        exponent = " kmgt".index(size[2].lower() or " ")
        return int(size[1]) * (1024**exponent if size[3] else _SIZES[size[2].lower()])
    return float(word) if re.fullmatch(r"-?\d+\.\d+", word) else word
