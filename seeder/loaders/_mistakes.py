"""All bad lines of a data file in one error."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from seeder.errors import DefinitionError, Mark, Problem

MOST: Final = 20
BOM: Final = b"\xef\xbb\xbf"


def refuse(path: Path, found: Iterable[Problem]) -> None:
    """Raise DefinitionError with the first problems and the number of the others. Returns when there is none."""
    problems = iter(found)
    shown = list(islice(problems, MOST))
    others = list(islice(problems, 1))
    if others:
        count = 1 + sum(1 for _ in problems)
        last = max(problem.mark.line for problem in (*shown, *others) if problem.mark)
        shown.append(Problem(path.name, f"{count} more from here on", "mend the ones above first", Mark(path, last)))
    if shown:
        raise DefinitionError.of(shown)


def decoded(path: Path, line: int, raw: bytes) -> str | Problem:
    """The text of bytes that begin in this line, or where they stop being UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Mark(path, line + raw.count(b"\n", 0, error.start))
        return Problem(path.name, f"the byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8", place)


def unreadable(path: Path, error: OSError) -> DefinitionError:
    return DefinitionError(path.name, f"the file cannot be read: {error.strerror or error}", mark=Mark(path, 1))
