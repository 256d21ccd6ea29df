"""Texts that are written in a form of their own, as `format` of JSON Schema names it. They are taken as functions take them. Pure."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from seeder.definition.duration import seconds

DURATION: Final = "seeder-duration"
DECIMAL: Final = "decimal"
_WORDS: Final = {
    "date-time": "a moment such as 2026-01-15T12:00:00Z",
    "date": "a day such as 2026-01-15",
    "time": "a time such as 12:00:00",
    "duration": "a duration such as P1DT2H",
    "uuid": "a UUID",
    DECIMAL: "a decimal number",
    DURATION: "a duration such as 500ms, 5s, 2m, 24h or 7d",
}
KNOWN: Final = tuple(_WORDS)


class Schema(GenerateJsonSchema):
    """Of types, with the form of decimal numbers, which pydantic does not tell."""

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        told = super().decimal_schema(schema)
        texts = [one for one in (told, *told.get("anyOf", ())) if one.get("type") == "string"]
        for one in texts:
            one["format"] = DECIMAL
        return told


def misread(value: Any, form: str) -> str:
    """Why the text is none of this form; empty where it is, and where nobody here knows the form."""
    read = _readers().get(form)
    if read is None or not isinstance(value, str):
        return ""
    try:
        read(value)
    except ValueError:
        return f"{value!r} is not {_WORDS[form]}"
    return ""


@lru_cache(maxsize=1)
def _readers() -> Mapping[str, Callable[[str], object]]:
    kinds = {
        "date-time": datetime.datetime, "date": datetime.date, "time": datetime.time, "duration": datetime.timedelta,
        "uuid": uuid.UUID, DECIMAL: Decimal,
    }  # fmt: skip
    return {DURATION: seconds, **{form: TypeAdapter(kind).validate_python for form, kind in kinds.items()}}
