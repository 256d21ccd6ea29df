"""What an unquoted YAML scalar means, in two dialects."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from decimal import Decimal

from seeder.frozen import frozen

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_GO_WHOLE = (
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
    (re.compile(r"[-+]?0[0-7]+"), 8),
    (re.compile(r"[-+]?0([bB][01]+|[oO][0-7]+|[xX][0-9a-fA-F]+)"), 0),
)
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?(Z|[-+]\d{2}:\d{2})?)?",
)
_LARGEST = 2**64  # from here on, compose sees a float
_MOST_DIGITS = 70
_PLAIN_POWERS = range(-4, 6)  # outside, Go writes a float with an exponent: 1e+06


@frozen
class Dialect:
    """`text_keys`: a key is always text. `merge_tags`: `!reset` and `!override` have a meaning; `other_tags`: any other has none."""

    number: Callable[[str], Scalar]  # of a text that begins as one
    text_keys: bool
    merge_tags: bool
    other_tags: bool

    def plain(self, text: str) -> Scalar:
        """The value of a scalar without quotes."""
        if text in _WORDS:
            return _WORDS[text]
        return self.number(text) if text[0] in _NUMBER_STARTS else text

    def tagged(self, kind: str, text: str) -> Scalar:
        """The value of a scalar with an explicit standard tag (`!!str`). Raises ValueError when the text is none of that kind."""
        if kind == "str":
            return text
        value = self.plain(text)
        wanted: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
        if kind not in wanted:
            raise ValueError(f"the tag !!{kind} is not known here")
        if not isinstance(value, wanted[kind]) or (isinstance(value, bool) != (kind == "bool")):
            raise ValueError(f"{text!r} is no {kind}")
        return float(value) if kind == "float" and value is not None else value


def _core(text: str) -> Scalar:
    """YAML 1.2, core schema: `22:22`, `NO` and dates are text, `0644` is the number 644."""
    if _DECIMAL.fullmatch(text):
        return int(text) if len(text) <= _MOST_DIGITS else float(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def _compose(text: str) -> Scalar:
    """As compose reads it: `0644` is octal, `1_000` a number, a date a moment in UTC (which has no other use than its text)."""
    number = _go_number(text if text[0] == "." else text.replace("_", ""))
    return number if number is not None else _moment(text) or text


def _go_number(text: str) -> int | float | None:
    base = next((base for pattern, base in _GO_WHOLE if pattern.fullmatch(text)), None)
    most = _LARGEST // 2 if text[0] == "+" else _LARGEST
    if base is not None and len(text) <= _MOST_DIGITS and -_LARGEST // 2 <= int(text, base) < most:
        return int(text, base)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf  # `08` as well
    return number if math.isfinite(number) else None


def _moment(text: str) -> str | None:
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, between, hour, minute, second, fraction, zone = found.groups()
    if between and (between == " ") == bool(zone):
        return None
    try:
        moment = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=datetime.UTC)
    except ValueError:
        return None
    fraction = f".{fraction}".rstrip("0").rstrip(".") if fraction else ""
    offset = "+0000 UTC" if zone in (None, "Z") else f"{zone.replace(':', '')} {zone.replace(':', '')}"
    return f"{moment.replace(tzinfo=None).isoformat(sep=' ')}{fraction} {offset}"


def as_text(value: Scalar) -> str:
    """The text that compose makes of a scalar where it needs text, e.g. in an environment: `1.10` is `1.1`, `1e6` is `1e+06`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    number = Decimal(repr(value)).normalize()
    power = number.adjusted()
    if not value or power in _PLAIN_POWERS:
        return f"{number:f}"
    mantissa = f"{number.scaleb(-power).normalize():f}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02}"


SEEDER = Dialect(_core, text_keys=True, merge_tags=False, other_tags=False)
OVERLAY = Dialect(_core, text_keys=True, merge_tags=True, other_tags=False)
COMPOSE = Dialect(_compose, text_keys=False, merge_tags=True, other_tags=True)
