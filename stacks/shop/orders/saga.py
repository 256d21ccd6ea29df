"""The checkout saga: steps forward until all are done, or, after a refusal, back until all are undone.

Every move is written down before the next is made, so that any process can go on where another stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from orders import flags, subscriptions
from orders.models import Order, Outbox, PaymentAttempt, SagaStep
from orders.steps import STEPS, Checkout
from orders.steps import of as checkout_of
from shopkit import clock
from shopkit.database import engine, transaction
from shopkit.events import enqueue
from shopkit.http import Refused, Unavailable
from shopkit.settings import setting

log = logging.getLogger("shop")


@dataclass(frozen=True)
class Move:
    """What to do next: `act` or `undo` the step at `position`, or `finish` with all of it."""

    kind: Literal["act", "undo", "finish"]
    position: int = -1
    confirmed: bool = False


def next_move(steps: Sequence[SagaStep]) -> Move:
    """Decide from what is written alone. A step that was given up may have happened, so it is undone too."""
    if any(step.status in ("refused", "compensated") for step in steps):
        undo = [s for s in steps if s.status == "done" or (s.status == "refused" and s.detail.get("uncertain"))]
        return Move("undo", undo[-1].position) if undo else Move("finish")
    waiting = [step for step in steps if step.status == "waiting"]
    return Move("act", waiting[0].position) if waiting else Move("finish", confirmed=True)


def begin(session: Session, order: Order, attempt: PaymentAttempt) -> None:
    """Write down the steps to make and tell that the order was placed."""
    now = clock.now()
    for position, step in enumerate(STEPS):
        session.add(SagaStep(order_id=order.id, attempt_no=attempt.attempt_no, position=position, step=step.name, updated_at=now))
    tell(session, order, attempt.attempt_no, "placed")


def advance(order_id: int, *, wait: bool) -> None:
    """Take the order's saga as far as it goes now. `wait` for another process that is at it, else leave it to that."""
    with alone_with(order_id, wait=wait) as mine:
        while mine and make_next_move(order_id):
            pass


@contextmanager
def alone_with(order_id: int, *, wait: bool) -> Iterator[bool]:
    """Whether this process has the order's saga for itself; a process that dies lets go of it."""
    with engine().begin() as connection:
        lock = func.pg_advisory_xact_lock if wait else func.pg_try_advisory_xact_lock
        if wait:
            connection.execute(text("set local lock_timeout = '30s'"))
        yield connection.scalar(select(lock(func.hashtextextended(f"saga/{order_id}", 0)))) is not False


def make_next_move(order_id: int) -> bool:
    """Make one move; False when there is none left, or the next must wait for a service to come back."""
    with transaction() as session:
        order = session.get_one(Order, order_id, populate_existing=True)
        if order.status != "pending":
            return False
        attempt = current_attempt(order)
        move = next_move(steps_of(session, order, attempt))
        if move.kind == "finish":
            finish(session, order, attempt, confirmed=move.confirmed)
            return False
        checkout = checkout_of(order, attempt)
    return act(checkout, move.position) if move.kind == "act" else undo(checkout, move.position)


def act(checkout: Checkout, position: int) -> bool:
    try:
        detail = STEPS[position].act(checkout)
    except Refused as error:
        record(checkout, position, "refused", {"reason": error.code, "detail": error.detail})
    except Unavailable as error:
        return missed(checkout, position, error)
    else:
        record(checkout, position, "done", detail)
    return True


def undo(checkout: Checkout, position: int) -> bool:
    """A compensation is never refused for good and never given up: it is tried until it is done."""
    try:
        STEPS[position].undo(checkout)
    except (Refused, Unavailable) as error:
        log.warning("order %d: %s is not undone yet: %s", checkout.order_id, STEPS[position].name, error)
        return False
    record(checkout, position, "compensated", {})
    return True


def missed(checkout: Checkout, position: int, error: Unavailable) -> bool:
    """No answer: count the try and wait, or give up after SAGA_TRIES of them."""
    log.warning("order %d: %s: %s", checkout.order_id, STEPS[position].name, error)
    with transaction() as session:
        step = session.get_one(SagaStep, (checkout.order_id, checkout.attempt_no, position))
        step.tries, step.updated_at = step.tries + 1, clock.now()
        if step.tries < patience(session, step.step):
            name = f"orders.retry:{checkout.key(step.step)}:{step.tries}"
            payload = {"order_id": checkout.order_id, "customer_id": checkout.customer_id, "step": step.step}
            enqueue(session, Outbox, name, "orders.retry", payload | {"tries": step.tries})
            return False
    record(checkout, position, "refused", {"reason": f"{STEPS[position].name}_unavailable", "uncertain": True})
    return True


def patience(session: Session, step: str) -> int:
    """How often a step is tried; an unavailable catalogue ends the checkout at once unless `retry_catalog` is on."""
    if step == "reserve" and not flags.enabled(session, "retry_catalog"):
        return 1
    return int(setting("SAGA_TRIES", "20"))


def record(checkout: Checkout, position: int, status: str, detail: dict[str, Any]) -> None:
    with transaction() as session:
        step = session.get_one(SagaStep, (checkout.order_id, checkout.attempt_no, position))
        step.status, step.detail, step.updated_at = status, step.detail | detail, clock.now()
        if "authorisation_id" in detail:
            attempt = current_attempt(session.get_one(Order, checkout.order_id))
            attempt.status, attempt.authorisation_id = "authorised", detail["authorisation_id"]


def finish(session: Session, order: Order, attempt: PaymentAttempt, *, confirmed: bool) -> None:
    order.status = "confirmed" if confirmed else "rejected"
    if not confirmed:
        reasons = [step.detail["reason"] for step in steps_of(session, order, attempt) if "reason" in step.detail]
        order.rejection = reasons[0]
        attempt.status = "voided" if attempt.status == "authorised" else "declined"
    subscriptions.settled(session, order)
    tell(session, order, attempt.attempt_no, order.status)


def tell(session: Session, order: Order, attempt_no: int, what: str) -> None:
    payload = {
        "order_id": order.id,
        "number": order.number,
        "customer_id": order.customer_id,
        "currency": order.currency,
        "total": str(order.total),
        "status": order.status,
    }
    if order.rejection:
        payload["reason"] = order.rejection
    enqueue(session, Outbox, f"orders.{what}:{order.id}:{attempt_no}", f"orders.{what}", payload)


def current_attempt(order: Order) -> PaymentAttempt:
    return next(attempt for attempt in order.attempts if attempt.id == order.current_attempt_id)


def steps_of(session: Session, order: Order, attempt: PaymentAttempt) -> list[SagaStep]:
    query = select(SagaStep).where(SagaStep.order_id == order.id, SagaStep.attempt_no == attempt.attempt_no)
    return list(session.scalars(query.order_by(SagaStep.position)))
