"""Inputs of a scenario: their types, and the values they are given."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from seeder.errors import Collector, nearest
from seeder.frozen import frozen

Value = str | int | float | bool | None


@frozen
class Input:
    """A typed input; a required one has no default."""

    name: str
    type: Literal["string", "integer", "number", "boolean"]
    default: Value = None
    required: bool = False
    enum: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    description: str = ""


def given(inputs: Sequence[Input], texts: Mapping[str, str], problems: Collector) -> dict[str, Value]:
    """The value of every input: the text of this name, read as its type, else its default."""
    known = {one.name: one for one in inputs}
    for name in texts:
        if name not in known:
            problems.add(f"--set {name}", "the scenario has no such input", nearest(name, sorted(known)))
    result: dict[str, Value] = {}
    for name, one in known.items():
        if name in texts:
            result[name] = _read(one, texts[name], problems)
        elif one.required:
            problems.add(f"--set {name}", f"the scenario needs a value for {name}, {_wanted(one)}", f"add --set {name}=VALUE")
        else:
            result[name] = one.default
    return result


def mistake(one: Input, value: Any) -> str | None:
    """Why the value is none for this input; None when it is."""
    if not _TYPES[one.type](value):
        return f"{value!r} is not {_NAMES[one.type]}"
    if one.enum and value not in one.enum:
        return f"{value!r} is not among {', '.join(map(str, one.enum))}"
    if one.minimum is not None and value < one.minimum:
        return f"{value} is below the minimum {one.minimum:g}"
    if one.maximum is not None and value > one.maximum:
        return f"{value} is above the maximum {one.maximum:g}"
    if one.pattern is not None and not re.search(one.pattern, value):
        return f"{value!r} does not match {one.pattern}"
    return None


def _read(one: Input, text: str, problems: Collector) -> Value:
    try:
        value = _READERS[one.type](text)
    except (ValueError, KeyError):
        problems.add(f"--set {one.name}={text}", f"{text!r} is not {_NAMES[one.type]}", f"give {_wanted(one)}")
        return None
    if cause := mistake(one, value):
        problems.add(f"--set {one.name}={text}", cause, f"give {_wanted(one)}")
    return value


def _wanted(one: Input) -> str:
    if one.enum:
        return f"one of {', '.join(map(str, one.enum))}"
    least = f" from {one.minimum:g}" if one.minimum is not None else ""
    most = f" up to {one.maximum:g}" if one.maximum is not None else ""
    like = f" like {one.pattern}" if one.pattern is not None else ""
    return _NAMES[one.type] + least + most + like


_NAMES: Final = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "boolean": lambda value: isinstance(value, bool),
}
_READERS: Final[Mapping[str, Callable[[str], Value]]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": lambda text: {"true": True, "false": False}[text],
}
