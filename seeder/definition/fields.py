"""Kinds of values that seeder's own files share."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, WithJsonSchema

from seeder.definition.duration import seconds
from seeder.definition.version import parse

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name; use small letters, digits, - and _, and begin with a letter or digit")
    return text


def _version(text: str) -> str:
    parse(text)
    return text


def _duration(value: Any) -> float:
    return seconds(value if isinstance(value, str) else str(value))


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(_\d{3})*", value, re.ASCII):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not a whole number; write it as 100000 or 100_000")


def _moment(value: Any) -> datetime.datetime:
    how = "write it as 2026-01-15T12:00:00Z"
    try:
        moment = datetime.datetime.fromisoformat(str(value))
        in_utc = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a moment; {how}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{value} names no time zone; {how}")
    return in_utc


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no path of a service; begin it with /")
    return text


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME.pattern}$"})]
VersionText = Annotated[str, AfterValidator(_version), Field(examples=["2.3.0"])]
UrlPath = Annotated[str, AfterValidator(_path), Field(json_schema_extra={"pattern": "^/"})]
Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[float, BeforeValidator(_duration), WithJsonSchema({"type": "string", "examples": ["5s", "500ms", "2m", "24h", "7d"]})]
Whole = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=0),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d{1,3}(_\d{3})*$"}]}),
]
Moment = Annotated[datetime.datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


def told_by(forms: Mapping[str, str]) -> Discriminator:
    """Which of several items is meant: it has exactly one of these keys, each of which tells the item's name."""

    def form(item: Any) -> str | None:
        found = [name for key, name in forms.items() if isinstance(item, Mapping) and key in item]
        return found[0] if len(found) == 1 else None

    return Discriminator(form, custom_error_type="form", custom_error_message=f"is a mapping with exactly one of {', '.join(forms)}")
