"""Takes a SQL file apart as psql would: statements, COPY blocks with their data, and the few backslash lines of pg_dump.

Files are read line by line and may be of any size; only one statement is held at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import field

from seeder.frozen import frozen


@frozen
class Statement:
    """`text` begins with the statement's first word; `line` is where that stands. The closing semicolon is left out."""

    text: str
    line: int


@frozen
class Copy(Statement):
    """`COPY ... FROM stdin`; `data` gives its lines once, as they stand in the file, without the closing `\\.`."""

    data: Iterator[str] = field(default_factory=lambda: iter(()))


@frozen
class Meta:
    """A backslash command: its name without the backslash, and the rest of the line."""

    name: str
    argument: str
    line: int


class Malformed(ValueError):
    def __init__(self, line: int, cause: str) -> None:
        self.line = line
        super().__init__(cause)


_TOKEN = re.compile(
    r"""--[^\n]* | /\* | [eE]' | ["'] | \$(?:[^\W\d]\w*)?\$ | [^\W\d][\w$]* | \d[\w.]* | \$\d+ | [;()\\] | \s+ | .""",
    re.VERBOSE | re.DOTALL,
)
# What ends the text that each of these opens; a doubled quote is simply two texts in a row.
_CLOSERS = {
    "'": re.compile("'"),
    '"': re.compile('"'),
    "e'": re.compile(r"\\.|''|'", re.DOTALL),
    "/*": re.compile(r"/\*|\*/"),
}
_FROM_STDIN = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_ROUTINE = re.compile(r"create (or replace )?(function|procedure)\b")


def split(lines: Iterable[str]) -> Iterator[Statement | Meta]:
    """The parts of a script in order. The data of a Copy that was not taken is skipped. Raises Malformed."""
    return _Splitter(lines).parts()


class _Splitter:
    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0
        self._fresh()

    def _fresh(self) -> None:
        self._text: list[str] = []
        self._begun = 0  # the line of the statement's first word
        self._words: list[str] = []
        self._depth = 0  # of parentheses
        self._bodies = 0  # of BEGIN ATOMIC and CASE inside it
        self._inside = ""  # what opened the text we are in
        self._opened = 0
        self._nested = 0  # of comments

    def parts(self) -> Iterator[Statement | Meta]:
        for line in self._lines:
            self._number += 1
            yield from self._line(line)
        if self._inside:
            what = {"/*": "comment", '"': "quoted name"}.get(self._inside, "text")
            raise Malformed(self._opened, f"the {what} that begins here has no end")
        if statement := self._statement():
            yield statement

    def _line(self, line: str) -> Iterator[Statement | Meta]:
        place = 0
        while place < len(line):
            if self._inside:
                place = self._through(line, place)
                continue
            match = _TOKEN.match(line, place)
            word = match[0] if match else line[place]
            place += len(word)
            if word == "\\":
                yield self._meta(line[place:])
                return
            if word != ";" or self._depth or self._bodies:
                self._take(word)
            elif statement := self._statement():
                yield statement
                if isinstance(statement, Copy):
                    for _ in statement.data:
                        pass
                    return

    def _take(self, word: str) -> None:
        if word.startswith("--") or (word.isspace() and not self._text):
            return
        opener = word.lower()
        if opener in _CLOSERS or (len(word) > 1 and word[0] == "$" and word[-1] == "$"):
            self._inside, self._opened, self._nested = opener if opener in _CLOSERS else word, self._number, 1
        if word == "/*":
            return
        self._begun = self._begun or self._number
        self._text.append(word)
        self._count(opener)

    def _count(self, word: str) -> None:
        if word in {"(", ")"}:
            self._depth = max(0, self._depth + (1 if word == "(" else -1))
        elif word.isidentifier():
            if len(self._words) < 4:  # noqa: PLR2004  (create or replace function)
                self._words.append(word)
            if (word == "begin" and _ROUTINE.match(" ".join(self._words) + " ")) or (word == "case" and self._bodies):
                self._bodies += 1
            elif word == "end" and self._bodies:
                self._bodies -= 1

    def _through(self, line: str, place: int) -> int:
        """Go on inside a text or comment; answer where it, or the line, ends."""
        closer = _CLOSERS.get(self._inside) or re.compile(re.escape(self._inside))
        match = closer.search(line, place)
        end = match.end() if match else len(line)
        if self._inside != "/*":
            self._text.append(line[place:end])
            if match and match[0] != "''" and match[0][0] != "\\":
                self._inside = ""
            return end
        self._nested += {"/*": 1, "*/": -1}.get(match[0] if match else "", 0)
        if not self._nested:
            self._inside = ""
        if self._text:
            self._text.append(" " if match else "\n")
        return end

    def _statement(self) -> Statement | None:
        text, line = "".join(self._text).rstrip(), self._begun
        self._fresh()
        if not text:
            return None
        return Copy(text, line, self._data(line)) if _FROM_STDIN.match(text) else Statement(text, line)

    def _data(self, begun: int) -> Iterator[str]:
        for line in self._lines:
            self._number += 1
            if line.rstrip("\r\n") == "\\.":
                return
            yield line
        raise Malformed(begun, "the data of this COPY has no end (a line `\\.`)")

    def _meta(self, rest: str) -> Meta:
        name, *argument = rest.split(None, 1) or [""]
        name = name.rstrip(";")
        if "".join(self._text).strip():
            raise Malformed(self._number, f"\\{name} inside a statement is not supported")
        return Meta(name, "".join(argument).strip().rstrip(";").strip(), self._number)
