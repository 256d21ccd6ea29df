"""What seeder itself offers to scenarios of stacks with a cache: to warm it, and to bring its keys to the end that time would bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, field_validator

from seeder.errors import EnvironmentFailed
from seeder.generators.context import Context
from seeder.generators.python import generator
from seeder.handles import caching
from seeder.passed.capability import NAMES, OURS
from seeder.promises.formats import DURATION

WITHIN: Final = "5s"  # so long a cache may take to be filled once the paths are read
SHOWN: Final = 10  # keys in a message
Patterns = str | list[str]
Service = Annotated[str, Field(json_schema_extra={NAMES: "service"})]
Store = Annotated[str | None, Field(json_schema_extra={NAMES: "store"})]
Left = Annotated[str, Field(json_schema_extra={"format": DURATION})]


class Keys(BaseModel):
    """The keys that it concerned."""

    keys: list[str]

    @field_validator("keys", mode="before")
    @classmethod
    def _shown(cls, keys: list[str]) -> list[str]:
        return [caching.shown(key) for key in keys]


class Replaced(BaseModel):
    """What the key held before."""

    key: str
    before: Any


@generator("cache.warm", version="1", owner=OURS, undo="nothing", within="60s")
def warm(ctx: Context, *, service: Service, paths: list[str], keys: Patterns | None = None, store: Store = None) -> Keys:
    """Reads the paths of the service, so that it fills its cache, and waits until each pattern of `keys` (`price:*`) matches something.
    Answers the keys that match; without `keys` it waits for none, and answers those that are new."""
    cache = ctx.cache(store)
    before, wanted = cache.keys().keys(), _all(keys or [])
    client = ctx.http(service)
    for path in paths:
        client.get(path).raise_for_status()

    def filled() -> list[str]:
        return sorted({key for pattern in wanted for key in cache.keys(pattern)} if wanted else cache.keys().keys() - before)

    try:
        ctx.eventually(lambda: all(cache.keys(pattern) for pattern in wanted), WITHIN)
    except EnvironmentFailed:
        raise _cold([pattern for pattern in wanted if not cache.keys(pattern)], sorted(cache.keys())) from None
    return Keys(keys=filled())


def _cold(missing: list[str], there: list[str]) -> EnvironmentFailed:
    """What was waited for, and what came instead."""
    shown = ", ".join(map(caching.shown, there[:SHOWN])) + (", ..." if len(there) > SHOWN else "")
    cause = f"no key matches {', '.join(missing)} {WITHIN} after the paths were read; there {f'is {shown}' if there else 'are none'}"
    return EnvironmentFailed("keys", cause, "look whether these paths fill the cache")


def _all(patterns: Patterns) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns


def _each(patterns: Patterns, do: Callable[[str], list[str]]) -> Keys:
    """What is done to the keys of each pattern, and which they were."""
    return Keys(keys=sorted({key for pattern in _all(patterns) for key in do(pattern)}))


@generator("cache.invalidate", version="1", owner=OURS, undo="nothing", shared=False)
def invalidate(ctx: Context, *, keys: Patterns, store: Store = None) -> Keys:
    """Removes the keys that the pattern (`price:*`) matches, be there any or none."""
    return _each(keys, ctx.cache(store).invalidate)


@generator("cache.ttl", version="1", owner=OURS, undo="nothing", shared=False)
def ttl(ctx: Context, *, keys: Patterns, left: Left, store: Store = None) -> Keys:
    """The keys that the pattern matches end in so long (`2s`) by themselves."""
    cache = ctx.cache(store)
    return _each(keys, lambda pattern: cache.ttl(pattern, left))


@generator("cache.expire", version="1", owner=OURS, undo="nothing", shared=False)
def expire(ctx: Context, *, keys: Patterns, store: Store = None) -> Keys:
    """The keys that the pattern matches end as if their time to live were over; nobody waits for that."""
    return _each(keys, ctx.cache(store).expire)


@generator("cache.stale", version="1", owner=OURS, origin="inserted", undo="nothing", shared=False)
def stale(ctx: Context, *, key: str, value: Any, store: Store = None) -> Replaced:
    """The cache holds another value than its source, for as long as it would have held the right one."""
    return Replaced(key=key, before=ctx.cache(store).stale(key, value))
