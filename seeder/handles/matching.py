"""Whether what was seen is what was expected; the written side comes from YAML or JSON, the seen one from a driver or an answer."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal
from typing import Any, Final

_SHOWN: Final = 300  # characters of a value in a message


def same(expected: Any, seen: Any) -> bool:
    """Equal as data: numbers by value (1 and 1.0, never true and 1), instants whatever their zone is written as, and what JSON has
    no word for (exact numbers, dates, UUIDs) by its text as well. Mappings and lists member by member."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return expected.keys() == seen.keys() and all(same(value, seen[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(seen, list | tuple):
        return len(expected) == len(seen) and all(map(same, expected, seen))
    return _same_scalar(expected, seen)


def within(expected: Any, seen: Any) -> bool:
    """`same`, but mappings may hold more than expected, on every level."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return all(key in seen and within(value, seen[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(seen, list):
        return len(expected) == len(seen) and all(map(within, expected, seen))
    return _same_scalar(expected, seen)


def words(value: Any) -> str:
    """The value for a message, as JSON, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def read(text: str) -> Any:
    """What was seen as text as the JSON that it is, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _same_scalar(expected: Any, seen: Any) -> bool:
    if isinstance(expected, bool) or isinstance(seen, bool):
        return expected is seen
    if _is_number(expected) and _is_number(seen):
        return Decimal(str(expected)) == Decimal(str(seen))
    if isinstance(expected, str) and not isinstance(seen, str):
        return _same_text(expected, seen)
    return type(expected) is type(seen) and bool(expected == seen)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _same_text(expected: str, seen: Any) -> bool:
    if isinstance(seen, datetime.datetime):
        try:
            written = datetime.datetime.fromisoformat(expected)
        except ValueError:
            return False
        return written == seen
    if isinstance(seen, datetime.date | datetime.time):
        return seen.isoformat() == expected
    return isinstance(seen, Decimal | uuid.UUID | datetime.timedelta) and str(seen) == expected
