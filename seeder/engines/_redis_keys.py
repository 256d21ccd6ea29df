"""Keys of a server as they are: read in batches, written in one transaction, in one form for digest, save and load."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen

_BATCH = 500

# string: bytes. list: items. set: members in byte order. hash: (field, value) in the order of fields. zset: (member, score) in the
# server's order. stream: (id, ((field, value), ...)) in order.
Value = Any


@frozen
class Entry:
    """A key with its value and what is left of its time to live, in milliseconds; `groups`: a stream's (group, last id)."""

    key: bytes
    type: str
    value: Value
    left: int | None = None
    groups: tuple[tuple[bytes, bytes], ...] = ()


def named(key: bytes) -> str:
    """The key as text: bytes that are no UTF-8 stand in it as `key` finds them again."""
    return key.decode("utf-8", "surrogateescape")


def key(name: str) -> bytes:
    """The key that is named so."""
    return name.encode("utf-8", "surrogateescape")


def databases(client: Any) -> list[int]:
    """The numbers of the databases that hold keys."""
    return sorted(int(name.removeprefix("db")) for name in client.info("keyspace"))


def entries(client: Any, pattern: str | None = None) -> Iterator[Entry]:
    """Every key of the client's database once, in no order. Keys that vanish meanwhile are left out."""
    seen: set[bytes] = set()
    scan = client.scan_iter(match=pattern, count=_BATCH)
    while batch := list(itertools.islice(scan, _BATCH)):
        fresh = [key for key in dict.fromkeys(batch) if key not in seen]
        seen.update(fresh)
        yield from read(client, fresh)


def read(client: Any, keys: Iterable[bytes]) -> Iterator[Entry]:
    """Those of the keys that are there."""
    asked = list(keys)
    about = client.pipeline(transaction=False)
    for key in asked:
        about.type(key).pttl(key)
    answers = about.execute()
    types = [(key, kind.decode(), left) for key, kind, left in zip(asked, answers[::2], answers[1::2], strict=True) if kind != b"none"]
    pipe = client.pipeline(transaction=False)
    for key, kind, _ in types:
        _ask(pipe, key, kind)
    for (key, kind, left), value in zip(types, pipe.execute(raise_on_error=True), strict=True):
        if value not in (None, [], {}, set()):
            groups = _groups(client, key) if kind == "stream" else ()
            yield Entry(key, kind, normal(kind, value), left if left >= 0 else None, groups)


def _ask(pipe: Any, key: bytes, kind: str) -> None:
    match kind:
        case "string":
            pipe.get(key)
        case "list":
            pipe.lrange(key, 0, -1)
        case "set":
            pipe.smembers(key)
        case "hash":
            pipe.hgetall(key)
        case "zset":
            pipe.zrange(key, 0, -1, withscores=True)
        case "stream":
            pipe.xrange(key)
        case _:
            raise EnvironmentFailed(key.decode("utf-8", "replace"), f"seeder cannot read keys of type {kind}", "leave it out as volatile")


def _groups(client: Any, key: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(sorted((group["name"], group["last-delivered-id"]) for group in client.xinfo_groups(key)))


def normal(kind: str, value: Any) -> Value:
    """One form for equal values, whatever the server's order."""
    match kind:
        case "list":
            return list(value)
        case "set":
            return sorted(value)
        case "hash":
            return sorted(value.items())
        case "zset":
            return sorted(((member, float(score)) for member, score in value), key=lambda pair: (pair[1], pair[0]))
        case "stream":
            return [(id_, tuple(fields.items())) for id_, fields in value]
    return value


def given(key: str, kind: str, value: Any) -> Value:
    """A value as files and people give it. Raises EnvironmentFailed for a type that nobody writes so."""
    match kind:
        case "string":
            return str(value).encode()
        case "list":
            return [str(item).encode() for item in value]
        case "set":
            return sorted({str(item).encode() for item in value})
        case "hash":
            return sorted((str(field).encode(), str(item).encode()) for field, item in value.items())
        case "zset":
            return normal("zset", [(str(member).encode(), float(score)) for member, score in value.items()])
    raise EnvironmentFailed(key, f"redis has no type {kind}", "use string, hash, list, set or zset")


def write(pipe: Any, entry: Entry) -> None:
    """Put the key in the pipe, in place of whatever is there."""
    pipe.delete(entry.key)
    match entry.type:
        case "string":
            pipe.set(entry.key, entry.value)
        case "list":
            pipe.rpush(entry.key, *entry.value)
        case "set":
            pipe.sadd(entry.key, *entry.value)
        case "hash":
            pipe.hset(entry.key, mapping=dict(entry.value))
        case "zset":
            pipe.zadd(entry.key, dict(entry.value))
        case "stream":
            for id_, fields in entry.value:
                pipe.xadd(entry.key, dict(fields), id=id_)
            for name, last in entry.groups:
                pipe.xgroup_create(entry.key, name, id=last)
    if entry.left is not None:
        pipe.pexpire(entry.key, max(1, entry.left))
