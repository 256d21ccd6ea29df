"""What values look like, as JSON Schema (2020-12) says it: what a way through them leads to, and whether one shape suits another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from seeder.errors import DefinitionError
from seeder.promises import formats

Shape = Mapping[str, Any]
ANY: Shape = {}
_NUMBERS = ("integer", "number")
_NAMES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "a mapping", "null": "nothing",
}  # fmt: skip


class Nowhere(LookupError):
    """A way that leads to nothing: what was still to go, and the shape that its first part is no part of."""

    def __init__(self, rest: Sequence[str | int], met: Shape) -> None:
        super().__init__(rest[0])
        self.rest, self.met = rest, met


def resolved(shape: Shape, root: Shape | None = None) -> Shape:
    """The shape that a `$ref` within the same document leads to, with the document's definitions."""
    root = shape if root is None else root
    reference = shape.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return {**shape, "$defs": root.get("$defs", {})} if "$defs" in root else shape
    found: Any = root
    for part in reference[2:].split("/"):
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return resolved(found, root)


def names(shape: Shape) -> list[str] | None:
    """The properties of an object; None where it may have any."""
    shape = resolved(shape)
    properties = shape.get("properties")
    return sorted(properties) if isinstance(properties, Mapping) and shape.get("additionalProperties") in (None, False) else None


def at(shape: Shape, way: Sequence[str | int]) -> Shape:
    """The shape of what a way of names, places and `*` leads to; ANY where it does not tell. Raises Nowhere where a part of it leads
    nowhere."""
    shape = resolved(shape)
    if not way:
        return shape
    first, rest = way[0], way[1:]
    if not kinds(shape):
        return ANY
    if first == "*" or isinstance(first, int):
        if "array" not in kinds(shape):
            raise Nowhere(way, shape)
        if isinstance(first, int) and first >= shape.get("maxItems", first + 1):
            raise Nowhere(way, shape)
        inner = at(resolved(shape.get("items", ANY), shape), rest)
        return {"type": "array", "items": inner} if first == "*" else inner
    if "object" not in kinds(shape):
        raise Nowhere(way, shape)
    if first in (properties := shape.get("properties", {})):
        return at(resolved(properties[first], shape), rest)
    if names(shape) is None:
        return ANY
    raise Nowhere(way, shape)


def kinds(shape: Shape) -> set[str]:
    """The JSON types that it may be of; empty where it does not tell."""
    shape = resolved(shape)
    if "enum" in shape or "const" in shape:
        return {_kind(value) for value in shape.get("enum", [shape.get("const")])}
    if "type" in shape:
        return {shape["type"]} if isinstance(shape["type"], str) else set(shape["type"])
    found = [kinds(resolved(one, shape)) for one in (*shape.get("anyOf", ()), *shape.get("oneOf", ()))]
    return set().union(*found) if found and all(found) else set()


def misfit(given: Shape, wanted: Shape) -> str | None:
    """Why a value of one shape is never one of the other, as far as their types tell; None where it may be."""
    gives, wants = kinds(given), kinds(wanted)
    if not gives or not wants or gives & wants or ("integer" in gives and "number" in wants):
        return None
    return f"it gives {words(gives)}, and {words(wants)} is needed"


def words(found: set[str]) -> str:
    return " or ".join(_NAMES.get(kind, kind) for kind in sorted(found))


def mistakes(value: Any, shape: Shape) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where the value is not of the shape, and why. Raises DefinitionError where the package that reads shapes is not installed."""
    for error in sorted(reader(json.dumps(shape)).iter_errors(value), key=lambda error: [str(part) for part in error.path]):
        closest = _closest(error)
        yield tuple(closest.absolute_path), _said(closest)


def _closest(error: Any) -> Any:
    """Of alternatives, what is wrong with the one that is of the value's type."""
    near = [one for one in error.context or () if one.validator != "type"]
    return _closest(near[0]) if near else error


def _said(error: Any) -> str:
    if error.validator == "format":
        return formats.misread(error.instance, error.validator_value)
    if error.validator in ("anyOf", "oneOf") and error.context and (wanted := kinds(error.schema)):
        return f"{error.instance!r} is not {words(wanted)}"
    return str(error.message)


def unreadable(shape: Shape) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a shape is none, and why. Raises DefinitionError as `mistakes` does."""
    kind = type(reader("{}"))
    for error in kind(kind.META_SCHEMA).iter_errors(shape):
        yield tuple(error.path), error.message


@lru_cache(maxsize=1024)
def reader(shape: str) -> Any:
    """What checks values against the shape, as JSON: thousands of steps ask for few capabilities."""
    try:
        import jsonschema
    except ModuleNotFoundError as error:
        raise DefinitionError("steps", f"capabilities need the package {error.name}", "pip install 'seeder-env[generators]'") from error
    checker = jsonschema.FormatChecker(formats=())
    for form in formats.KNOWN:
        checker.checks(form)(lambda value, form=form: not formats.misread(value, form))
    return jsonschema.Draft202012Validator(json.loads(shape), format_checker=checker)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    known = {str: "string", int: "integer", float: "number", type(None): "null", dict: "object", list: "array"}
    return known.get(type(value), "object")
