"""What pydantic found, as problems with places and remedies."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seeder.definition.marked import mark_of
from seeder.errors import Collector, Mark, Problem, counted, nearest

M = TypeVar("M", bound=BaseModel)


def validated(
    model: type[M], data: Any, problems: Collector, *, subject: str = "", mark: Mark | None = None, later: Collection[str] = ()
) -> M | None:
    """`data` as the model, or None after everything that is wrong with it went to `problems`.

    `subject` is put before each key in messages, `mark` is used where the data holds none. Keys in `later` (`reset`,
    `auth.mtls`) are refused as not supported yet.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.problems += problems_of(error, model, data, subject=subject, mark=mark, later=later)
        return None


def problems_of(
    error: ValidationError,
    model: type[BaseModel],
    data: Any,
    *,
    subject: str = "",
    mark: Mark | None = None,
    later: Collection[str] = (),
) -> list[Problem]:
    """One problem for each of the error's findings; of a union's alternatives, those of the one that came closest."""
    found: dict[tuple[str, str], Problem] = {}
    details = error.errors(include_url=False)
    misspelt = set(_misspelt(details, model))
    for detail in details:
        if detail["type"] == "missing" and detail["loc"] in misspelt:
            continue
        path = _written(detail["loc"], data, missing=detail["type"] == "missing")
        name = ".".join(str(part) for part in path)
        whole = ".".join(part for part in (subject, name) if part)
        cause, remedy = _explained(detail, model, name, later)
        found.setdefault((whole, cause), Problem(whole or "the file", cause, remedy, mark_of(data, path) or mark))
    return list(found.values())


def _misspelt(details: Sequence[ErrorDetails], model: type[BaseModel]) -> Iterator[tuple[int | str, ...]]:
    """The keys that an unknown one beside them nearly is: where one of them is missing, that is told of the unknown one alone."""
    for *above, written in (detail["loc"] for detail in details if detail["type"] == "extra_forbidden"):
        remedy = nearest(str(written), _keys_at(model, above))
        yield from ((*above, key) for key in _keys_at(model, above) if remedy == nearest(key, [key]))


def _written(loc: Sequence[int | str], data: Any, *, missing: bool) -> tuple[int | str, ...]:
    """The part of pydantic's path that stands in the file: names of union members are dropped."""
    path: list[int | str] = []
    for index, part in enumerate(loc):
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif not (missing and index == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _explained(detail: ErrorDetails, model: type[BaseModel], name: str, later: Collection[str]) -> tuple[str, str]:
    kind = detail["type"]
    if kind == "extra_forbidden" and name in later:
        return "is not supported yet", "remove the key"
    if kind == "extra_forbidden":
        if len(above := detail["loc"][:-1]) and detail["loc"][-1] in _keys_at(model, above[:-1]):
            return "there is no such key here", f"write it beside `{above[-1]}`, not in it"
        return "there is no such key here", nearest(str(detail["loc"][-1]), _keys_at(model, detail["loc"][:-1]))
    if kind == "missing":
        return "the key is needed and missing", "add it"
    if kind == "literal_error":
        return _sentence(detail), _meant(detail)
    if kind == "form":
        return _sentence(detail), "write one of them"
    if kind == "too_short":
        least, given = detail["ctx"]["min_length"], detail["ctx"]["actual_length"]
        return f"needs at least {counted(least, 'item')}, and has {given or 'none'}", "write one, or remove the key"
    if kind in ("bool_type", "bool_parsing"):
        return f"true or false is needed, not {_named(detail['input'])}", "write true or false"
    return _mistyped(kind, detail["input"]) or (_sentence(detail), "")


def _mistyped(kind: str, given: Any) -> tuple[str, str] | None:
    if kind == "string_type" and isinstance(given, (int, float)):
        return f"text is needed, and an unquoted {'true or false' if isinstance(given, bool) else 'number'} is none", "put it in quotes"
    wanted = {"string_type": "text", "list_type": "a list", "tuple_type": "a list", "dict_type": "a mapping", "model_type": "a mapping"}
    return (f"{wanted[kind]} is needed, not {_named(given)}", "") if kind in wanted else None


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return f"{detail['input']!r} is not among {detail['ctx']['expected']}"
    return detail["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _meant(detail: ErrorDetails) -> str:
    """The one that comes near; the cause names them all."""
    remedy = nearest(str(detail["input"]), re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    return "" if remedy.startswith("known:") else remedy


def _named(value: Any) -> str:
    return {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}.get(_plain_type(value), repr(value))


def _plain_type(value: Any) -> type:
    return next((kind for kind in (dict, list, str, type(None)) if isinstance(value, kind)), object)


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys that the model knows at a path."""
    at: list[Any] = [model]
    for part in loc:
        at = [deeper for kind in at for deeper in _deeper(kind, part)]
    models = [kind for kind in at if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for kind in models for name, field in kind.model_fields.items()]


def _deeper(kind: Any, part: int | str) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind.__name__ == part:  # a union's member in pydantic's path
            yield kind
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                yield from _members(field.annotation)
        return
    arguments = typing.get_args(kind)
    if arguments:
        yield from _members(arguments[-1] if typing.get_origin(kind) is not tuple else arguments[0])


def _members(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        for argument in typing.get_args(annotation):
            yield from _members(argument)
    else:
        yield annotation
