"""Takes a Redis store back to its mark: the keys that changed, or all of them where that is most; times to live count anew.

Cached scripts stay: they are known by their content. Settings and users of the server are not the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from seeder.engines import _redis_client, _redis_keys
from seeder.engines import _redis_mark as marks
from seeder.engines._redis_mark import Mark, Place
from seeder.errors import EnvironmentFailed
from seeder.passed.rewound import UNTOUCHED, Rewound, Way
from seeder.passed.target import Target

T = TypeVar("T")
_SECONDS = 60.0
_SHARE = 0.5  # of all keys; from here on the databases are emptied and filled
_AT_ONCE = 1000  # keys whose time is renewed by one call
_RENEW = """
for place = 1, #ARGV, 3 do
  redis.call('SELECT', ARGV[place])
  redis.call('PEXPIRE', ARGV[place + 1], ARGV[place + 2])
end
"""
_COUNTERS = ("run_id", "rdb_changes_since_last_save", "rdb_last_save_time", "rdb_bgsave_in_progress", "expired_keys", "evicted_keys")


class RedisRewinder:
    def __init__(self, target: Target, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._undo = ExitStack()
        self._client: Any = None
        self._mark: Mark | None = None
        self._hashes: dict[Place, bytes] = {}
        self._counters: tuple[Any, ...] | None = None

    def mark(self) -> str:
        self._again(self._take)
        return ""

    def rewind(self, way: Way) -> Rewound:
        return self._again(lambda client: self._rewind(client, way))

    def close(self) -> None:
        self._undo.close()
        self._client = None

    def _again(self, work: Callable[[Any], T]) -> T:
        """With the connection that is kept; a second time with a new one where the server had closed it."""
        redis = _redis_client.driver()
        try:
            try:
                return work(self._connected())
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
                self.close()
                return work(self._connected())
        except redis.exceptions.RedisError as error:
            raise EnvironmentFailed(self._target.store, f"redis at {self._target.address}: {error}") from error

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._undo.enter_context(_redis_client.raw(self._target, timeout=_SECONDS))
        return self._client

    def _take(self, client: Any) -> None:
        self._remember(marks.take(client, self._databases(client)))
        marks.write(self._folder, self._mark or Mark({}, None))
        self._counters = _counters(client)

    def _remember(self, mark: Mark) -> None:
        self._mark = mark
        self._hashes = {place: entry.hash for place, entry in mark.entries.items()}

    def _databases(self, client: Any) -> list[int]:
        """Those that belong to the store and hold keys, or held some."""
        if self._target.database is not None:
            return [_redis_client.numbered(self._target)]
        return sorted({*_redis_keys.databases(client), *(self._mark.databases if self._mark else ())})

    def _rewind(self, client: Any, way: Way) -> Rewound:
        if self._mark is None:
            self._remember(marks.read(self._folder))
        mark = self._mark or Mark({}, None)
        _redis_client.end_clients(client, self._databases(client), "x")
        if self._counters is not None and self._counters == _counters(client):
            self._renew(client, mark)
            return UNTOUCHED
        databases = self._databases(client)
        changed = self._changed(client, databases)
        ended = _redis_client.end_clients(client, databases, "b") if changed else 0
        everything = way == "swap" or len(changed) > _SHARE * max(len(mark.entries), 1)
        self._write(client, mark, databases if everything and changed else (), changed)
        named = [*_names(changed), *(["functions"] if _give_functions(client, mark) else [])]
        self._renew(client, mark)
        if not named:
            return UNTOUCHED
        return Rewound("anew" if everything and changed else "in place", tuple(named), restart=_redis_client.waited(ended))

    def _changed(self, client: Any, databases: list[int]) -> list[Place]:
        """Keys that differ, are gone, or came; whether a key lives for ever counts, how long it still has to live does not."""
        mark = self._mark or Mark({}, None)
        there: set[Place] = set()
        found: list[Place] = []
        for place, digest, left in marks.visit(client, "hashes", databases):
            there.add(place)
            entry = mark.entries.get(place)
            same = entry is not None and entry.fields is None and self._hashes[place] == digest
            if not same or entry is None or (entry.left < 0) != (left < 0):
                found.append(place)
        return sorted([*found, *(mark.entries.keys() - there)])

    def _write(self, client: Any, mark: Mark, emptied: Collection[int], changed: list[Place]) -> None:
        """In one transaction; a client sees all of it or nothing."""
        pipe = client.pipeline(transaction=True)
        for database in emptied:
            pipe.execute_command("SELECT", database)
            pipe.flushdb()
        at: int | None = None
        for place in sorted(mark.entries) if emptied else changed:
            database, key = place
            if at != database:
                pipe.execute_command("SELECT", database)
                at = database
            entry = mark.entries.get(place)
            if entry is None:
                pipe.unlink(key)
            elif entry.fields is None:
                pipe.restore(key, max(entry.left, 0), entry.dump, replace=True)
            else:
                _write_fields(pipe, key, entry)
        self._executed(pipe)

    def _renew(self, client: Any, mark: Mark) -> None:
        """Times to live begin again; then what the server counts is what it counts when nothing happens."""
        ending = [(database, key, max(entry.left, 1)) for (database, key), entry in mark.entries.items() if entry.left >= 0]
        for start in range(0, len(ending), _AT_ONCE):
            client.eval(_RENEW, 0, *(word for key in ending[start : start + _AT_ONCE] for word in key))
        self._counters = _counters(client)

    def _executed(self, pipe: Any) -> None:
        """The connection is in its own database afterwards."""
        if len(pipe):
            pipe.execute_command("SELECT", _redis_client.numbered(self._target))
            pipe.execute()


def _write_fields(pipe: Any, key: bytes, entry: marks.Entry) -> None:
    fields = entry.fields or {}
    pipe.unlink(key)
    pipe.hset(key, mapping={name: value for name, (value, _) in fields.items()})
    for name, (_, left) in fields.items():
        if left >= 0:
            pipe.execute_command("HPEXPIRE", key, max(left, 1), "FIELDS", 1, name)
    if entry.left >= 0:
        pipe.pexpire(key, max(entry.left, 1))


def _counters(client: Any) -> tuple[Any, ...]:
    """What the server counts of writes, expiries and saves: as long as it is the same, so are the keys."""
    about = client.info()
    return tuple(about.get(name) for name in _COUNTERS)


def _give_functions(client: Any, mark: Mark) -> bool:
    if marks.functions(client) == mark.functions:
        return False
    client.execute_command("FUNCTION", "FLUSH")
    if mark.functions is not None:
        client.execute_command("FUNCTION", "RESTORE", mark.functions)
    return True


def _names(changed: list[Place]) -> list[str]:
    return [key.decode("utf-8", "backslashreplace") for _, key in changed]
