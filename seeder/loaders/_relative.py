"""Dates that count from the run's reference time: `as_of`, `as_of-30d`, `as_of+2h30m`."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

from seeder.definition import duration

_RELATIVE: Final = re.compile(r"as_of(?:(?P<sign>[+-])(?P<span>\S+))?", re.ASCII)


def resolve(value: Any, as_of: datetime.datetime) -> Any:
    """The value, with text that is a relative date (as a whole) replaced by that instant in ISO 8601, UTC; lists and mappings are
    searched, keys of mappings are not. Raises ValueError that says how such a date is written."""
    if isinstance(value, str):
        return _instant(value, as_of) if value.startswith("as_of") else value
    if isinstance(value, dict):
        return {key: resolve(item, as_of) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, as_of) for item in value]
    return value


def _instant(text: str, as_of: datetime.datetime) -> str:
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return text  # `as_of_date` and `as_of the invoice` are ordinary text
    instant = as_of.astimezone(datetime.UTC)
    if match["span"]:
        try:
            span = datetime.timedelta(seconds=duration.seconds(match["span"]))
            instant = instant + span if match["sign"] == "+" else instant - span
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is no relative date; write as_of, as_of-30d or as_of+2h30m") from error
    return instant.isoformat().replace("+00:00", "Z")
