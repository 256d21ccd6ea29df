"""Files that hold one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from seeder.errors import Mark, Problem
from seeder.loaders import _mistakes

Object = dict[str, Any]


def objects(path: Path) -> Iterator[tuple[int, Object] | Problem]:
    """Every object with its line; blank lines are passed over. Numbers with a fraction keep all their digits (Decimal)."""
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            text = raw.removeprefix(_mistakes.BOM) if number == 1 else raw
            if text.strip():
                yield _object(path, number, text)


def _object(path: Path, line: int, raw: bytes) -> tuple[int, Object] | Problem:
    text = _mistakes.decoded(path, line, raw)
    if isinstance(text, Problem):
        return text
    try:
        value = parse(text)
    except json.JSONDecodeError as error:
        return Problem(path.name, f"this is not JSON: {error.msg} (column {error.colno})", "write one object per line", Mark(path, line))
    except (ValueError, RecursionError) as error:
        cause = "values are nested too deep" if isinstance(error, RecursionError) else str(error)
        return Problem(path.name, cause, mark=Mark(path, line))
    if not isinstance(value, dict):
        return Problem(path.name, "the line is no JSON object", 'write {"name": value, ...}', Mark(path, line))
    return line, value


def parse(text: str) -> Any:
    """Strict JSON: no key twice, no NaN, no half of a character. Raises ValueError."""
    value = json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse_constant, parse_float=_exact)
    if "\\ud" in text.lower():
        _refuse_surrogates(value)
    return value


def floats(value: Any) -> Any:
    """The value with every Decimal in it as a float, so that it can be written as JSON again."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: floats(item) for key, item in value.items()}
    return [floats(item) for item in value] if isinstance(value, list) else value


def _mapping(pairs: list[tuple[str, Any]]) -> Object:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is repeated")
    return result


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:20]}{'...' if len(text) > 20 else ''} is too large or too small a number") from None  # noqa: PLR2004


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(floats(value), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a \\ud... escape is half of a pair") from error
