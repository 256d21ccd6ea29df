"""JSONPath as WireMock's documentation uses it, with the meaning that WireMock's library (Jayway) gives it, which differs from RFC 9535:
a filter on an object asks that object itself, and `..`, `*`, filters, slices and unions give lists while other paths give one value.

Known: `.name`, `['a','b']`, `[0]`, `[0,1]`, `[-1]`, `[1:3]`, `*`, `..`, `[?(...)]` with == != < <= > >= =~ && || ! and existence, and
`.length()` or `.size()` at an end. https://github.com/json-path/JsonPath
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from seeder.engines.stubserver import jsonpath_steps as steps_of
from seeder.engines.stubserver.jsonpath_steps import Step

MISSING: Final = object()  # a path to one value that leads nowhere


class Unknown(ValueError):
    """The expression is no JSONPath, or holds what is not known here."""


class Path:
    """`definite`: it leads to one value, or to none."""

    def __init__(self, steps: list[Step], *, definite: bool) -> None:
        self._steps, self.definite = steps, definite

    def find(self, start: Any, document: Any) -> Any:
        """The value; of an indefinite path the list of them. MISSING when there is none."""
        found = [start]
        for step in self._steps:
            found = step(found, document)
        return found if not self.definite else found[0] if found else MISSING


@functools.lru_cache(maxsize=512)
def compiled(expression: str) -> Path:
    """Raises Unknown naming what cannot be read, and where."""
    reader = _Reader(expression)
    if not reader.take("$"):
        raise Unknown(f"JSONPath begins with $: {expression}")
    path = reader.path()
    if not reader.ended:
        raise reader.unknown()
    return path


_NAME = re.compile(r"[^\s.\[\]()*?,:=!<>&|'\"]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_INTEGER = re.compile(r"-?\d+")
_SLICE = re.compile(r"(-?\d*)\s*:\s*(-?\d*)")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_REGULAR = re.compile(r"/((?:[^/\\]|\\.)*)/(i?)")
_COMPARISON = re.compile(r"==|!=|<=|>=|=~|<|>")
_FUNCTION = re.compile(r"(\w+)\(\s*\)")
_LITERALS: Final = {"true": True, "false": False, "null": None}


def _regular(text: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise Unknown(f"this part of a JSONPath is no regular expression that Python reads: {text}: {error}") from error


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    @property
    def ended(self) -> bool:
        self._space()
        return self._at == len(self._text)

    def unknown(self) -> Unknown:
        return Unknown(f"this part of a JSONPath is not known: {self._text[self._at :]}")

    def take(self, word: str) -> bool:
        self._space()
        if self._text.startswith(word, self._at):
            self._at += len(word)
            return True
        return False

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._space()
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return found

    def _expect(self, word: str) -> None:
        if not self.take(word):
            raise self.unknown()

    # -- steps --------------------------------------------------------------------------------------------------------

    def path(self) -> Path:
        steps: list[Step] = []
        definite = True
        while self._at < len(self._text) and self._text[self._at] in ".[":
            if self.take(".."):
                steps.append(steps_of.descend)
                definite = False
                if self._text[self._at : self._at + 1] == "[":
                    continue
                step, one = self._dotted()
            elif self.take("."):
                step, one = self._dotted()
            else:
                step, one = self._bracket()
            steps.append(step)
            definite = definite and one
        return Path(steps, definite=definite)

    def _dotted(self) -> tuple[Step, bool]:
        if self.take("*"):
            return steps_of.members, False
        if function := self._match(_FUNCTION):
            if function[1] not in ("length", "size"):
                raise Unknown(f"the function {function[1]}() of a JSONPath is not known")
            return steps_of.length, True
        name = self._match(_NAME)
        if not name:
            raise self.unknown()
        return steps_of.named([name[0]]), True

    def _bracket(self) -> tuple[Step, bool]:
        self._expect("[")
        if self.take("?"):
            self._expect("(")
            test = self._either()
            self._expect(")")
            step, one = steps_of.filtered(test), False
        elif self.take("*"):
            step, one = steps_of.members, False
        elif names := self._list(self._string):
            step, one = steps_of.named(names), len(names) == 1
        elif cut := self._match(_SLICE):
            step, one = steps_of.cut(*(int(end) if end else None for end in cut.groups())), False
        elif numbers := self._list(self._integer):
            step, one = steps_of.numbered(numbers), len(numbers) == 1
        else:
            raise self.unknown()
        self._expect("]")
        return step, one

    def _list(self, read: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while (item := read()) is not None:
            found.append(item)
            if not self.take(","):
                break
        return found

    def _string(self) -> str | None:
        found = self._match(_STRING)
        return re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2]) if found else None

    def _integer(self) -> int | None:
        found = self._match(_INTEGER)
        return int(found[0]) if found else None

    # -- filters ------------------------------------------------------------------------------------------------------

    def _either(self) -> Callable[[Any, Any], bool]:
        tests = [self._both()]
        while self.take("||"):
            tests.append(self._both())
        return lambda item, document: any(test(item, document) for test in tests)

    def _both(self) -> Callable[[Any, Any], bool]:
        tests = [self._test()]
        while self.take("&&"):
            tests.append(self._test())
        return lambda item, document: all(test(item, document) for test in tests)

    def _test(self) -> Callable[[Any, Any], bool]:
        if self.take("!"):
            inner = self._test()
            return lambda item, document: not inner(item, document)
        if self.take("("):
            inside = self._either()
            self._expect(")")
            return inside
        left = self._operand()
        comparison = self._match(_COMPARISON)
        if comparison is None:
            return lambda item, document: left(item, document) not in (MISSING, [])
        if comparison[0] == "=~":
            regular = self._match(_REGULAR)
            if regular is None:
                raise self.unknown()
            pattern = _regular(regular[1], re.IGNORECASE if regular[2] else 0)
            return lambda item, document: isinstance(value := left(item, document), str) and pattern.fullmatch(value) is not None
        right, holds = self._operand(), steps_of.COMPARE[comparison[0]]
        return lambda item, document: holds(left(item, document), right(item, document))

    def _operand(self) -> Callable[[Any, Any], Any]:
        if self.take("@"):
            path = self.path()
            return path.find
        if self.take("$"):
            whole = self.path()
            return lambda _, document: whole.find(document, document)
        text = self._string()
        if text is not None:
            return lambda *_: text
        if number := self._match(_NUMBER):
            value = float(number[0]) if number[1] or number[2] else int(number[0])
            return lambda *_: value
        word = self._match(_NAME)
        if word and word[0] in _LITERALS:
            literal = _LITERALS[word[0]]
            return lambda *_: literal
        self._at = word.start() if word else self._at
        raise self.unknown()
