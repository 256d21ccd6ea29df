"""What may be done to the keys of a cache, by pattern (`price:*`, as SCAN matches)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seeder.engines import _redis_client, _redis_keys
from seeder.engines._redis_keys import Entry
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target


def keys(target: Target, pattern: str) -> dict[str, float | None]:
    with _redis_client.connect(target) as client:
        found = sorted(set(client.scan_iter(match=_redis_keys.key(pattern), count=500)))
        pipe = client.pipeline(transaction=False)
        for key in found:
            pipe.pttl(key)
        lefts = zip(found, pipe.execute(), strict=True)
        return {_redis_keys.named(key): None if left == -1 else left / 1000 for key, left in lefts if left != -2}  # noqa: PLR2004  (gone meanwhile)


def drop(target: Target, named: Sequence[str]) -> None:
    with _redis_client.connect(target) as client:
        if named:
            client.delete(*map(_redis_keys.key, named))


def expire(target: Target, named: Sequence[str], left: float) -> None:
    """PEXPIRE: with nothing left they end as they would by themselves (clients that listen hear `expired`), and not as deleted ones."""
    with _redis_client.connect(target) as client:
        pipe = client.pipeline(transaction=True)
        for key in map(_redis_keys.key, named):
            pipe.pexpire(key, max(1, round(left * 1000)))
        pipe.execute()


def replace(target: Target, key: str, value: Any) -> None:
    with _redis_client.connect(target) as client:
        found = next(iter(_redis_keys.read(client, [_redis_keys.key(key)])), None)
        if found is None:
            raise EnvironmentFailed(target.store, f"there is no key {key}", "warm the cache first: `use: cache.warm`")
        pipe = client.pipeline(transaction=True)
        _redis_keys.write(pipe, Entry(found.key, found.type, _redis_keys.given(key, found.type, value), found.left))
        pipe.execute()
