"""Prices as they are now, read through a cache that forgets after `config:price_ttl` (a cache key) or PRICE_TTL seconds, unless
PRICE_CACHE is off."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from uuid import UUID

import redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Price
from shopkit import clock
from shopkit.settings import setting

log = logging.getLogger("shop")


@cache
def server() -> redis.Redis:
    return redis.Redis.from_url(setting("CACHE_URL"), decode_responses=True, socket_timeout=0.5, socket_connect_timeout=0.5)


def off() -> bool:
    """Whether nothing is to be read from the cache, or kept in it."""
    return setting("PRICE_CACHE", "on") == "off"


def key(product: UUID, currency: str) -> str:
    return f"price:{product}:{currency}"


def current(session: Session, products: Iterable[UUID], currency: str) -> dict[UUID, Decimal]:
    """What each product costs now; products without a price in `currency` are left out."""
    wanted = sorted(set(products))
    found = cached(wanted, currency)
    missing = [product for product in wanted if product not in found]
    if missing:
        fresh = stored(session, missing, currency)
        remember(fresh, currency)
        found |= fresh
    return found


def stored(session: Session, products: list[UUID], currency: str) -> dict[UUID, Decimal]:
    """The youngest price of each product that is already valid."""
    query = (
        select(Price.product_id, Price.amount)
        .distinct(Price.product_id)
        .where(Price.product_id.in_(products), Price.currency == currency, Price.valid_from <= clock.now())
        .order_by(Price.product_id, Price.valid_from.desc())
    )
    return dict(session.execute(query).tuples().all())


def cached(products: list[UUID], currency: str) -> dict[UUID, Decimal]:
    """What the cache knows. Without a cache the shop is slower, not closed."""
    if off():
        return {}
    try:
        values = server().mget([key(product, currency) for product in products]) if products else []
    except redis.RedisError as error:
        log.warning("cache: %s", error)
        return {}
    return {product: Decimal(value) for product, value in zip(products, values, strict=True) if value is not None}


def remember(prices: dict[UUID, Decimal], currency: str) -> None:
    if off():
        return
    try:
        ttl = int(server().get("config:price_ttl") or setting("PRICE_TTL", "300"))
        pipeline = server().pipeline(transaction=False)
        for product, amount in prices.items():
            pipeline.set(key(product, currency), str(amount), ex=ttl)
        pipeline.execute()
    except redis.RedisError as error:
        log.warning("cache: %s", error)


def forget(product: UUID, currency: str) -> None:
    try:
        server().delete(key(product, currency))
    except redis.RedisError as error:
        log.warning("cache: %s", error)
