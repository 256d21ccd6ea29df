"""What seeder itself offers to scenarios of stacks with a cache: to warm it, and to bring its keys to the end that time would bring."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, field_validator

from seeder.generators.context import Context
from seeder.generators.python import generator
from seeder.handles import caching
from seeder.passed.capability import OURS


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
def warm(ctx: Context, *, service: str, paths: list[str], keys: list[str] | None = None, store: str | None = None) -> Keys:
    """Reads the paths of the service, so that it fills its cache, and waits until each pattern of `keys` (`price:*`) matches something.
    Answers the keys that match; without `keys` it waits for none, and answers those that are new."""
    cache = ctx.cache(store)
    before, wanted = cache.keys().keys(), keys or []
    client = ctx.http(service)
    for path in paths:
        client.get(path).raise_for_status()

    def filled() -> list[str]:
        return sorted({key for pattern in wanted for key in cache.keys(pattern)} if wanted else cache.keys().keys() - before)

    ctx.eventually(lambda: all(cache.keys(pattern) for pattern in wanted))
    return Keys(keys=filled())


@generator("cache.invalidate", version="1", owner=OURS, undo="nothing", shared=False)
def invalidate(ctx: Context, *, keys: str, store: str | None = None) -> Keys:
    """Removes the keys that the pattern (`price:*`) matches, be there any or none."""
    return Keys(keys=ctx.cache(store).invalidate(keys))


@generator("cache.ttl", version="1", owner=OURS, undo="nothing", shared=False)
def ttl(ctx: Context, *, keys: str, left: str, store: str | None = None) -> Keys:
    """The keys that the pattern matches end in so long (`2s`) by themselves."""
    return Keys(keys=ctx.cache(store).ttl(keys, left))


@generator("cache.expire", version="1", owner=OURS, undo="nothing", shared=False)
def expire(ctx: Context, *, keys: str, store: str | None = None) -> Keys:
    """The keys that the pattern matches end as if their time to live were over; nobody waits for that."""
    return Keys(keys=ctx.cache(store).expire(keys))


@generator("cache.stale", version="1", owner=OURS, origin="inserted", undo="nothing", shared=False)
def stale(ctx: Context, *, key: str, value: Any, store: str | None = None) -> Replaced:
    """The cache holds another value than its source, for as long as it would have held the right one."""
    return Replaced(key=key, before=ctx.cache(store).stale(key, value))
