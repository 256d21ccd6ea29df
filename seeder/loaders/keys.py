"""Keys of a cache, one JSON object per line: `{"key": ..., "type": ..., "value": ..., "ttl": seconds}`."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from seeder.definition.dataset import Part, PartKind
from seeder.errors import Mark, Problem, nearest
from seeder.loaders import _fields, _mistakes
from seeder.loaders._fields import Wrong
from seeder.passed.content import Key, Keys

_KNOWN: Final = ("key", "type", "value", "ttl")


class KeysLoader:
    kind: PartKind = "keys"

    def read(self, part: Part, as_of: datetime.datetime) -> Keys:
        """Values are text (string), lists of text (list, set), text by text (hash) or numbers by text (zset); numbers and booleans
        in the file become the text that JSON writes for them. Raises DefinitionError with all bad lines."""
        keys = _fields.read(part.path, _key, as_of, _KNOWN)
        _mistakes.refuse(part.path, _twins(part, keys))
        return Keys(part, keys)


def _twins(part: Part, keys: tuple[Key, ...]) -> list[Problem]:
    first: dict[str, int] = {}
    twins = [key for key in keys if first.setdefault(key.key, key.line) != key.line]
    return [Problem(key.key, f"the key stands in line {first[key.key]} already", "keep one", Mark(part.path, key.line)) for key in twins]


def _key(line: int, given: dict[str, Any]) -> Key:
    kind = given.get("type", "string")
    if not isinstance(kind, str) or kind not in _VALUES:
        raise Wrong("type", f"{kind!r} is no type of a key", nearest(str(kind), sorted(_VALUES)))
    if "value" not in given:
        raise Wrong("value", "the field is missing")
    return Key(line, _fields.text(given, "key"), kind, _VALUES[kind](given["value"]), _ttl(given.get("ttl")))


def _ttl(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise Wrong("ttl", f"{value!r} is no number of seconds above 0", "leave it out for a key that stays for ever")
    return float(value)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        raise Wrong("value", "is no text or number", 'a cache keeps text; write JSON in it as text: "{\\"a\\": 1}"')
    return json.dumps(value)


def _list(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise Wrong("value", "is no list, or an empty one", 'write ["a", "b"]; a cache keeps no empty list or set')
    return [_string(item) for item in value]


def _set(value: Any) -> list[str]:
    members = _list(value)
    if len(set(members)) < len(members):
        raise Wrong("value", "holds a member twice", "a set holds each member once")
    return members


def _hash(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise Wrong("value", "is no mapping of fields to values, or an empty one", 'write {"field": "value"}')
    return {field: _string(item) for field, item in value.items()}


def _zset(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or not value or not all(_is_score(score) for score in value.values()):
        raise Wrong("value", "is no mapping of members to scores, or an empty one", 'write {"member": 1.5}')
    return {member: float(score) for member, score in value.items()}


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_VALUES: Final[Mapping[str, Callable[[Any], Any]]] = {"string": _string, "hash": _hash, "list": _list, "set": _set, "zset": _zset}
