"""What an object of a keys or messages file may hold, checked field by field with its line."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from seeder.errors import Mark, Problem, nearest
from seeder.loaders import _json, _mistakes, _relative

T = TypeVar("T")


class Wrong(ValueError):
    """`field` does not hold what it should; `remedy` says how it is written."""

    def __init__(self, field: str, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.field = field
        self.remedy = remedy


def read(path: Path, make: Callable[[int, dict[str, Any]], T], as_of: datetime.datetime, known: Sequence[str]) -> tuple[T, ...]:
    """What `make` makes of every line, relative dates resolved. Raises DefinitionError with all bad lines."""
    try:
        made = list(_made(path, make, as_of, known))
    except OSError as error:
        raise _mistakes.unreadable(path, error) from error
    _mistakes.refuse(path, (found for found in made if isinstance(found, Problem)))
    return tuple(found for found in made if not isinstance(found, Problem))


def _made(path: Path, make: Callable[[int, dict[str, Any]], T], as_of: datetime.datetime, known: Sequence[str]) -> Iterator[T | Problem]:
    for found in _json.objects(path):
        if isinstance(found, Problem):
            yield found
            continue
        line, given = found
        problem = functools.partial(Problem, mark=Mark(path, line))
        unknown = next((name for name in given if name not in known), None)
        if unknown is not None:
            yield problem(unknown, "there is no such field", nearest(unknown, known))
            continue
        try:
            yield make(line, _relative.resolve(_json.floats(given), as_of))
        except Wrong as wrong:
            yield problem(wrong.field, str(wrong), wrong.remedy)
        except ValueError as error:
            yield problem(path.name, str(error))


def text(given: dict[str, Any], field: str) -> str:
    """A field that must be there and hold text."""
    if field not in given:
        raise Wrong(field, "the field is missing")
    if not isinstance(given[field], str) or not given[field]:
        raise Wrong(field, "the value is no text, or is empty", f'write "{field}": "..."')
    return str(given[field])
