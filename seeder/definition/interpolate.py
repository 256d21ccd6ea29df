"""Variables in compose files: `$NAME`, `${NAME}` and its forms, `$$` for a dollar sign."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from seeder.definition.marked import List, Map, Override
from seeder.errors import Collector, Mark, Problem
from seeder.frozen import frozen

Lookup = Callable[[str], str | None]  # the value of a variable; None when it is not set

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile(r"\$(?:\$|\{(\w+)\}|([A-Za-z_]\w*))", re.ASCII)
_OPERATOR = re.compile(r":?[-+?]")
_DEEPEST = 50
_FORMS = "forms are ${A} ${A:-default} ${A:?message} ${A:+other}; $$ is a dollar sign"


class Invalid(ValueError):
    """The text cannot be interpolated; the message is a cause. `remedy` mends it."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.remedy = remedy


class Missing(Invalid):
    """A variable that a text needs is not set; `form` is how the text asks for it."""

    def __init__(self, cause: str, remedy: str, form: str) -> None:
        super().__init__(cause, remedy)
        self.form = form


def interpolate(text: str, lookup: Lookup, depth: int = 0) -> str:
    """The text with its variables filled in; one that is not set is empty. Raises Invalid for a form that is none and for a
    required variable that is missing. What stands behind an operator is interpolated too, whether it is used or not."""
    if "$" not in text:
        return text
    if depth > _DEEPEST:
        raise Invalid(f"variables are nested more than {_DEEPEST} deep", "")
    done: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        done.append(text[at:dollar])
        value, at = _variable(text, dollar + 1, lookup, depth)
        done.append(value)
    done.append(text[at:])
    return "".join(done)


def _variable(text: str, at: int, lookup: Lookup, depth: int) -> tuple[str, int]:
    """What the `$` before `at` stands for, and where the text goes on."""
    follows = text[at : at + 1]
    if follows == "$":
        return "$", at + 1
    if follows == "{":
        end = _closing(text, at)
        return _braced(text[at + 1 : end], lookup, depth), end + 1
    if name := _NAME.match(text, at):
        return lookup(name[0]) or "", name.end()
    return "$", at


def _closing(text: str, start: int) -> int:
    deep = 0
    for at in range(start, len(text)):
        deep += (text[at] == "{") - (text[at] == "}")
        if deep == 0:
            return at
        if text[at] == "\n":
            break
    raise Invalid(f"{text[start - 1 :]!r} has no closing brace in its line", "close it, or write $$ for a dollar sign")


def _braced(inside: str, lookup: Lookup, depth: int) -> str:
    name = _NAME.match(inside)
    if name is None:
        raise Invalid(f"${{{inside}}} names no variable", "write $$ for a dollar sign")
    value = lookup(name[0])
    rest = inside[name.end() :]
    if not rest:
        return value or ""
    operator = _OPERATOR.match(rest)
    if operator is None:
        raise Invalid(f"${{{inside}}} is no known form of a variable", _FORMS)
    word = interpolate(rest[operator.end() :], lookup, depth + 1)
    present = bool(value) if operator[0].startswith(":") else value is not None
    if operator[0].endswith("+"):
        return word if present else ""
    if not present and operator[0].endswith("?"):
        cause = f"the variable {name[0]} is needed and missing"
        raise Missing(f"{cause}: {word}" if word else cause, f"set {name[0]} in the environment or in .env", f"${{{inside}}}")
    return (value or "") if present else word


@frozen
class Filling:
    """How the variables of a file are filled in. What cannot be goes to `problems`; one that is needed and missing goes to `lacking`
    instead, where that is given, and is read as empty."""

    lookup: Lookup
    problems: Collector
    lacking: list[Problem] | None = None

    def data(self, value: Any, path: str = "", mark: Mark | None = None) -> Any:
        """A copy of composed data with the variables of all its values filled in; keys stay."""
        if isinstance(value, str):
            return self._text(value, path, mark)
        if isinstance(value, Map):
            start = f"{path}." if path else ""
            return Map(value.mark, {key: self.data(item, start + key, value.at(key)) for key, item in value.items()}, value.marks)
        if isinstance(value, List):
            return List(value.mark, [self.data(item, f"{path}[{n}]", value.at(n)) for n, item in enumerate(value)], value.marks)
        if isinstance(value, Override):
            return Override(self.data(value.value, path, mark))
        return value

    def _text(self, text: str, path: str, mark: Mark | None) -> str:
        try:
            return interpolate(text, self.lookup)
        except Missing as error:
            if self.lacking is not None:
                self.lacking.append(Problem(path, str(error), error.remedy, mark))
                return self._text(text.replace(error.form, ""), path, mark)
            self.problems.add(path, str(error), error.remedy, mark)
        except Invalid as error:
            self.problems.add(path, str(error), error.remedy, mark)
        return text


def unset(value: Any, lookup: Lookup, path: str = "", mark: Mark | None = None) -> Iterator[Problem]:
    """A hint for each variable of composed data that is not set and that nothing stands in for, so that it is read as empty."""
    if isinstance(value, str) and "$" in value:
        for name in dict.fromkeys(found[1] or found[2] for found in _BARE.finditer(value)):
            if name and lookup(name) is None:
                remedy = f"set {name} in the environment or in .env; ${{{name}:-}} says that it may be empty"
                yield Problem(path, f"the variable {name} is not set and is read as empty", remedy, mark)
    elif isinstance(value, Map):
        for key, item in value.items():
            yield from unset(item, lookup, f"{path}.{key}" if path else key, value.at(key))
    elif isinstance(value, List):
        for index, item in enumerate(value):
            yield from unset(item, lookup, f"{path}[{index}]", value.at(index))
    elif isinstance(value, Override):
        yield from unset(value.value, lookup, path, mark)
