"""What a Redis store holds, as a dataset's `keys.jsonl` has it, in the order of the keys.

What is left of a time to live is rounded up to whole minutes: it differs at every look. Streams, values that are no text, and keys of
other databases than the first cannot be written so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from seeder.engines import _redis_state
from seeder.engines._redis_keys import Entry
from seeder.passed.content import Held
from seeder.passed.target import Target

_MINUTE = 60_000  # ms


def held(target: Target, volatile: Sequence[str]) -> Iterator[Held]:
    lines, left = list[bytes](), list[str]()
    for number, entry in sorted(_redis_state.entries(target), key=lambda one: (one[0], one[1].key)):
        if _redis_state.left_out(entry.key, volatile):
            continue
        try:
            line = None if (number and target.database is None) or entry.type == "stream" else _line(entry)
        except UnicodeDecodeError:
            line = None
        if line is None:
            left.append(f"key {entry.key.decode('utf-8', 'replace')} of type {entry.type}" + (f" in database {number}" if number else ""))
        else:
            lines.append(line)
    yield Held("keys", "keys", tuple(lines), key=("key",), left=tuple(left))


def _line(entry: Entry) -> bytes:
    found = {"key": entry.key.decode(), "type": entry.type, "value": _value(entry)}
    ttl = {} if entry.left is None else {"ttl": math.ceil(entry.left / _MINUTE) * 60}
    return json.dumps({**found, **ttl}, ensure_ascii=False).encode() + b"\n"


def _value(entry: Entry) -> Any:
    value: Any = entry.value
    match entry.type:
        case "string":
            return value.decode()
        case "hash":
            return {name.decode(): item.decode() for name, item in sorted(value)}
        case "zset":
            return {member.decode(): score for member, score in value}
        case "set":
            return sorted(item.decode() for item in value)
        case _:
            return [item.decode() for item in value]
