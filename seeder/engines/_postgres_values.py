"""Values as COPY's text format wants them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from seeder.engines._postgres_catalog import Column, Kind

NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

Render = Callable[[Any], str | None]


class Unfit(ValueError):
    """The value has a shape that the column cannot hold; says which."""


def line(values: Sequence[str | None]) -> str:
    """One row of COPY's text format, newline included."""
    return "\t".join(NULL if value is None else value.translate(_SPECIAL) for value in values) + "\n"


def renderer(column: Column, *, documents: bool) -> Render:
    """How a value becomes the text of that column, None staying None. `documents`: the file has types of its own (JSON, YAML),
    so that a text in a JSON column is a JSON string; otherwise it is JSON as it stands."""
    if column.kind == "json" and documents:
        return lambda value: None if value is None else _json(value)
    if column.kind == "array":
        return lambda value: _array(value, column.element) if isinstance(value, list | tuple) else _text(value, column.kind)
    return lambda value: _text(value, column.kind)


def _text(value: Any, kind: Kind) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, Mapping | list | tuple):
        if kind in {"json", "vector"}:
            return _json(value)
        raise Unfit("a mapping" if isinstance(value, Mapping) else "a list")
    return repr(value) if isinstance(value, float) else str(value)


def _json(value: Any) -> str:
    """Decimals are written as the numbers they are."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key), ensure_ascii=False)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _array(items: Sequence[Any], element: Kind) -> str:
    return "{" + ",".join(_member(item, element) for item in items) + "}"


def _member(item: Any, element: Kind) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list | tuple) and element != "json":
        return _array(item, element)
    text = _json(item) if element == "json" else _text(item, element)
    return '"' + (text or "").replace("\\", "\\\\").replace('"', '\\"') + '"'
