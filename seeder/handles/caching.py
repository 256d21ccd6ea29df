"""A cache, in the hands of a program: its keys, by pattern, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seeder.definition.duration import seconds
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target
from seeder.protocols import Caches, LooksUp
from seeder.registry import ENGINES
from seeder.wait import READY, not_yet, wait_for

GONE_WITHIN = 5.0  # seconds that an engine takes at most to let go of a key that has ended


def shown(key: str) -> str:
    """The key for people and files, which take no bytes that are no UTF-8: they stand as `\\xff`."""
    return key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Cache:
    """The keys of one store. A pattern is one as the engine knows it (`price:*`); a key is a pattern that matches itself."""

    def __init__(self, target: Target, wrote: Callable[[str], None] = lambda _: None) -> None:
        """`wrote` is told before each thing that changes something."""
        engine = ENGINES.get(target.engine)
        if not isinstance(engine, Caches) or not isinstance(engine, LooksUp):
            raise EnvironmentFailed(target.store, f"{engine.name} holds no keys that end by themselves", "name a cache")
        self._engine, self._lookup, self._target, self._wrote = engine, engine.lookup, target, wrote

    def keys(self, pattern: str = "*") -> dict[str, float | None]:
        """Key -> the seconds that are left of its time to live; None: it has none."""
        return dict(self._engine.keys(self._target, pattern))

    def get(self, key: str) -> Any:
        """The key's value (text, list, dict by type), or None."""
        return self._lookup(self._target, key)

    def invalidate(self, pattern: str) -> list[str]:
        """Remove the keys; answers which."""
        found = sorted(self.keys(pattern))
        self._wrote(f"DEL {pattern}")
        self._engine.drop(self._target, found)
        return found

    def ttl(self, pattern: str, left: str | float) -> list[str]:
        """The keys end in so long (`2s`, or seconds) by themselves; answers which. Raises EnvironmentFailed where there are none."""
        found = self._some(pattern)
        self._wrote(f"EXPIRE {pattern}")
        self._engine.expire(self._target, found, seconds(left) if isinstance(left, str) else left)
        return found

    def expire(self, pattern: str) -> list[str]:
        """The keys have ended as if their time were over, and are gone; answers which. Raises EnvironmentFailed where there are none, or
        where one would never have ended."""
        found, lasting = self._some(pattern), [key for key, left in self.keys(pattern).items() if left is None]
        if lasting:
            cause = f"{shown(lasting[0])} has no time to live, and would never end"
            raise EnvironmentFailed(self._target.store, cause, "invalidate it, or give it one: ttl")
        self._wrote(f"EXPIRE {pattern}")
        self._engine.expire(self._target, found, 0)
        wait_for(
            f"{self._target.store}: {pattern}",
            lambda: not_yet(f"{shown(left[0])} is still there") if (left := sorted(self.keys(pattern).keys() & set(found))) else READY,
            within=GONE_WITHIN,
            first=0.002,
        )
        return found

    def stale(self, key: str, value: Any) -> Any:
        """The cache holds another value than its source from now on, for as long as it would have held the right one, which it answers.
        Raises EnvironmentFailed where there is no such key."""
        before = self.get(key)
        if before is None:
            raise EnvironmentFailed(self._target.store, f"there is no key {shown(key)}", "warm the cache first: `use: cache.warm`")
        self._wrote(f"SET {key}")
        self._engine.replace(self._target, key, value)
        return before

    def _some(self, pattern: str) -> list[str]:
        if found := sorted(self.keys(pattern)):
            return found
        raise EnvironmentFailed(self._target.store, f"no key matches {pattern}", "warm the cache first: `use: cache.warm`")
