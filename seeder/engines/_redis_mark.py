"""What a Redis server held at a moment: every key as DUMP writes it, with what was left of its time to live."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import atomic
from seeder.passed.rewound import NO_MARK

FORMAT = 1
_INDEX, _KEYS = "mark.json", "keys.dump"
_HEAD = struct.Struct(">IIqI")  # database, length of the key, milliseconds left (-1: for ever), length of the rest
# Forms of a hash whose fields have times to live of their own; DUMP writes those as moments, which are over some time later.
_FLEETING = frozenset({22, 23, 24, 25})

# One visit to all keys of the databases, within the server. The rest is the dump itself, or its SHA-1.
_VISIT = """
local out = {}
for place = 2, #ARGV do
  local db = tonumber(ARGV[place])
  redis.call('SELECT', db)
  for _, key in ipairs(redis.call('KEYS', '*')) do
    local dump, left = redis.call('DUMP', key), redis.call('PTTL', key)
    if dump then
      if ARGV[1] == 'hashes' then dump = redis.sha1hex(dump) end
      out[#out + 1] = struct.pack('>I4I4i8I4', db, #key, left, #dump) .. key .. dump
    end
  end
end
return table.concat(out)
"""

Place = tuple[int, bytes]  # database and key


@frozen
class Entry:
    """`fields`: value and time left of each field, where fields have times of their own."""

    dump: bytes
    left: int
    fields: Mapping[bytes, tuple[bytes, int]] | None = None

    @property
    def hash(self) -> bytes:
        return hashlib.sha1(self.dump, usedforsecurity=False).hexdigest().encode()


@frozen
class Mark:
    entries: Mapping[Place, Entry]
    functions: bytes | None

    @property
    def databases(self) -> set[int]:
        return {database for database, _ in self.entries}


def take(client: Any, databases: list[int]) -> Mark:
    return Mark({place: _entry(client, place, dump, left) for place, dump, left in visit(client, "dumps", databases)}, functions(client))


def visit(client: Any, what: str, databases: list[int]) -> Iterator[tuple[Place, bytes, int]]:
    """Database and key, dump or hash, time left; of all keys."""
    answer = client.eval(_VISIT, 0, what, *databases) if databases else b""
    return _unpacked(answer)


def _unpacked(block: bytes) -> Iterator[tuple[Place, bytes, int]]:
    at = 0
    while at < len(block):
        database, key, left, rest = _HEAD.unpack_from(block, at)
        at += _HEAD.size
        yield (database, block[at : at + key]), block[at + key : at + key + rest], left
        at += key + rest


def _entry(client: Any, place: Place, dump: bytes, left: int) -> Entry:
    if dump[0] not in _FLEETING:
        return Entry(dump, left)
    database, key = place
    listed = _asked(client, database, "HGETALL", key)
    values = listed if isinstance(listed, dict) else dict(zip(listed[::2], listed[1::2], strict=True))
    times = _asked(client, database, "HPTTL", key, "FIELDS", len(values), *values)
    return Entry(dump, left, {name: (value, time) for (name, value), time in zip(values.items(), times, strict=True)})


def _asked(client: Any, database: int, *words: Any) -> Any:
    """One command in another database; the connection is in its own one afterwards."""
    pipe = client.pipeline(transaction=True)
    pipe.execute_command("SELECT", database)
    pipe.execute_command(*words)
    pipe.execute_command("SELECT", client.connection_pool.connection_kwargs["db"])
    return pipe.execute()[1]


def functions(client: Any) -> bytes | None:
    """The server's function libraries; None where it knows none or has none."""
    import redis.exceptions

    try:
        found: bytes | None = client.execute_command("FUNCTION", "DUMP")
    except redis.exceptions.ResponseError:
        return None
    return found


def write(folder: Path, mark: Mark) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _KEYS).open("wb") as file:
        for (database, key), entry in mark.entries.items():
            file.write(_HEAD.pack(database, len(key), entry.left, len(entry.dump)) + key + entry.dump)
    fleeting = [
        [database, _text(key), [[_text(name), _text(value), left] for name, (value, left) in entry.fields.items()]]
        for (database, key), entry in mark.entries.items()
        if entry.fields is not None
    ]
    about = {"engine": "redis", "format": FORMAT, "functions": _text(mark.functions), "fields": fleeting}
    atomic.write(folder / _INDEX, json.dumps(about) + "\n")


def read(folder: Path) -> Mark:
    """Raises EnvironmentFailed when there is none."""
    try:
        about = json.loads((folder / _INDEX).read_text(encoding="ascii"))
        made = (about["engine"], about["format"])
        fields = {
            (database, b64decode(key)): {b64decode(name): (b64decode(value), left) for name, value, left in rows}
            for database, key, rows in about["fields"]
        }
        found = _unpacked((folder / _KEYS).read_bytes())
        functions = b64decode(about["functions"]) if about["functions"] else None
    except (OSError, ValueError, KeyError) as error:
        raise EnvironmentFailed(str(folder), f"no state was marked there: {error}", NO_MARK) from error
    if made != ("redis", FORMAT):
        raise EnvironmentFailed(str(folder), f"it was marked by {made[0]} in format {made[1]}", "use the seeder that marked it")
    return Mark({place: Entry(dump, left, fields.get(place)) for place, dump, left in found}, functions)


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
