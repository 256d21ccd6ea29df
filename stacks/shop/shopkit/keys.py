"""Idempotency on the side of the called service: one intention, one row; and a row undone stays undone."""

from __future__ import annotations

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import Header
from sqlalchemy import delete
from sqlalchemy.orm import Session

from shopkit import clock
from shopkit.database import serialise
from shopkit.problems import Problem
from shopkit.tables import CancelledKeyColumns

IdempotencyKey = Annotated[str, Header(min_length=1, max_length=200)]


def identity(*parts: object) -> UUID:
    """A uuid that is a pure function of its parts: the same intention makes the same row."""
    return uuid5(NAMESPACE_URL, "shop:" + "/".join(map(str, parts)))


def open_key(session: Session, cancelled: type[CancelledKeyColumns], key: str) -> None:
    """Wait for others with `key`, then go on, unless it was cancelled before."""
    serialise(session, key)
    if session.get(cancelled, key) is not None:
        raise Problem(409, "cancelled", f"{key} was cancelled before it arrived")


def cancel_key(session: Session, cancelled: type[CancelledKeyColumns], key: str) -> None:
    """Wait for others with `key`, then see to it that it is refused from now on."""
    serialise(session, key)
    if session.get(cancelled, key) is None:
        session.add(cancelled(key=key, cancelled_at=clock.now()))


def forget_keys(session: Session, cancelled: type[CancelledKeyColumns], order_id: int) -> None:
    """Of an order that is erased no key is left."""
    session.execute(delete(cancelled).where(cancelled.key.like(f"order-{order_id}-%")))
