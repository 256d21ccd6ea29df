"""What a Redis store holds: its digest, its portable form, and nothing at all.

The digest counts whether a key has a time to live, not how much of it is left: that differs at every look. Of a stream it counts
fields and groups, not the ids, which are the server's clock. Volatile entries of a Redis store are patterns of keys (`session:*`).
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seeder.engines import _redis_client, _redis_keys, _saved_store
from seeder.engines._redis_keys import Entry
from seeder.engines._sorted_lines import ordered
from seeder.passed.content import StoreDigest
from seeder.passed.target import Target

_FORM = _saved_store.Form("redis", 1)
_FILE = "keys.jsonl"
_BATCH = 1000


def digest(target: Target, volatile: Sequence[str]) -> StoreDigest:
    parts: dict[str, tuple[int, str]] = {}
    lines = ordered(_line(number, entry) for number, entry in entries(target) if not left_out(entry.key, volatile))
    for kind, group in itertools.groupby(lines, key=lambda line: line.split(b"\t", 1)[0].decode()):
        found, count = hashlib.sha256(), 0
        for line in group:
            found.update(line)
            count += 1
        parts[kind] = (count, found.hexdigest())
    return StoreDigest.of(parts)


def left_out(key: bytes, volatile: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(key.decode("utf-8", "replace"), pattern) for pattern in volatile)


def _line(number: int, entry: Entry) -> bytes:
    value = [fields for _, fields in entry.value] if entry.type == "stream" else entry.value
    content = json.dumps([_plain(value), [_plain(name) for name, _ in entry.groups]], separators=(",", ":"))
    ttl = "ttl" if entry.left is not None else "for ever"
    return f"{entry.type}\t{number}\t{entry.key.hex()}\t{ttl}\t{content}\n".encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def entries(target: Target) -> Iterator[tuple[int, Entry]]:
    """Every key with its database's number: of the store's database, or of all where the store is a whole server."""
    with _clients(target) as clients:
        for number, client in clients:
            yield from ((number, entry) for entry in _redis_keys.entries(client))


@contextmanager
def _clients(target: Target) -> Iterator[Iterator[tuple[int, Any]]]:
    if target.database is not None:
        with _redis_client.connect(target) as client:
            yield iter([(_redis_client.numbered(target), client)])
        return
    with _redis_client.connect(target) as client:
        numbers = _redis_keys.databases(client)
    yield ((number, client) for number in numbers for client in _numbered(target, number))


def _numbered(target: Target, number: int) -> Iterator[Any]:
    with _redis_client.connect(target, database=number) as client:
        yield client


def save(target: Target, folder: Path) -> None:
    """One JSON object per key, in the order of the keys, with the time to live that is left."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = (json.dumps(_saved(number, entry), ensure_ascii=False).encode() + b"\n" for number, entry in entries(target))
    with _saved_store.writing(folder / _FILE) as keys:
        for line in ordered(rows):
            keys.write(line)
    _FORM.write(folder, {"keys": keys.count, **keys.entry})


def _saved(number: int, entry: Entry) -> dict[str, Any]:
    saved = {"key": _written(entry.key), "db": number, "type": entry.type, "value": _written(entry.value)}
    extra = {"groups": _written(entry.groups)} if entry.groups else {}
    return {**saved, "ttl_ms": entry.left, **extra}


def _written(value: Any) -> Any:
    """Bytes as text where they are text, else in base64."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    return [_written(item) for item in value] if isinstance(value, list | tuple) else value


def _unwritten(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return [_unwritten(item) for item in value] if isinstance(value, list) else value


def restore(target: Target, folder: Path) -> str:
    """Each database is replaced in one transaction; times to live count from now. Answers why clients cannot go on."""
    by_number: dict[int, list[Entry]] = {}
    for saved in _read(folder):
        by_number.setdefault(saved["db"], []).append(
            Entry(
                _unwritten(saved["key"]),
                saved["type"],
                _unwritten(saved["value"]),
                saved["ttl_ms"],
                tuple((name, last) for name, last in _unwritten(saved.get("groups", []))),
            )
        )
    if target.database is not None:  # its number may be another one here
        by_number = {_redis_client.numbered(target): [entry for entries in by_number.values() for entry in entries]}
    ended = _quiet(target)
    empty(target)
    for number, entries in sorted(by_number.items()):
        with _redis_client.connect(target, database=number) as client:
            pipe = client.pipeline(transaction=True)
            pipe.flushdb()
            for entry in entries:
                _redis_keys.write(pipe, entry)
            pipe.execute()
    return _redis_client.waited(ended)


def _quiet(target: Target) -> int:
    """No client is in the middle of anything; how many waited."""
    databases = None if target.database is None else [_redis_client.numbered(target)]
    with _redis_client.connect(target) as client:
        _redis_client.end_clients(client, databases, "x")
        return _redis_client.end_clients(client, databases, "b")


def _read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _saved_store.file(folder, _FORM.read(folder)).read_bytes().splitlines()]


def empty(target: Target) -> None:
    with _redis_client.connect(target) as client:
        if target.database is None:
            client.flushall()
        else:
            client.flushdb()


def lookup(target: Target, key: str) -> Any:
    """Text, a list (list, set in order), a mapping (hash; zset: member to score), a list of mappings (stream), or None."""
    with _redis_client.connect(target) as client:
        entry = next(_redis_keys.read(client, [_redis_keys.key(key)]), None)
    if entry is None:
        return None
    if entry.type == "string":
        return _text(entry.value)
    if entry.type in {"hash", "zset"}:
        return {_text(name): _text(value) for name, value in entry.value}
    if entry.type == "stream":
        return [{_text(name): _text(value) for name, value in fields} for _, fields in entry.value]
    return [_text(item) for item in entry.value]


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
