"""Checkout as clients see it: place the order, take the saga as far as it goes, answer with what is known."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from orders import placing, saga
from orders.models import Order, PaymentAttempt, SagaStep
from orders.schemas import CheckoutIn, OrderOut, StepOut
from shopkit import clock
from shopkit.database import transaction
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/orders", tags=["checkout"])
OptionalKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


@router.post("/{order_id}/checkout")
def checkout(order_id: int, given: CheckoutIn, response: Response, idempotency_key: OptionalKey = None) -> OrderOut:
    """200: the order is `confirmed` or `rejected` (see `rejection`). 202: it is `pending`; ask again later.

    Asking again about a pending or confirmed order changes nothing. A rejected order can be checked out
    again, for instance with another card; a request with a key that was seen before is not a new attempt.
    """
    mandate = given.mandate_id
    if given.method == "direct_debit" and mandate is None:
        mandate = active_mandate(order_id)
    place(order_id, given, mandate, idempotency_key and f"checkout/{order_id}/{idempotency_key}")
    saga.advance(order_id, wait=True)
    order = read(order_id)
    response.status_code = 202 if order.status == "pending" else 200
    return order


@router.get("/{order_id}/saga")
def steps(order_id: int) -> list[StepOut]:
    """How far the checkout of an order got, all attempts."""
    query = select(SagaStep).where(SagaStep.order_id == order_id).order_by(SagaStep.attempt_no, SagaStep.position)
    with transaction() as session:
        return [StepOut.model_validate(row) for row in session.scalars(query)]


def place(order_id: int, given: CheckoutIn, mandate: str | None, key: str | None) -> None:
    """Begin a new attempt, unless the order is under way or this request was seen before."""
    request = given.model_dump_json()
    with transaction() as session:
        order = find(session, order_id, lock=True)
        if order.status == "cancelled":
            raise Problem(409, "order_cancelled", f"order {order_id} was cancelled")
        if order.status not in ("draft", "rejected") or placing.known(session, key, request):
            return
        now = clock.now()
        attempt = PaymentAttempt(
            order_id=order.id,
            attempt_no=len(order.attempts) + 1,
            method=given.method,
            card_token=given.card_token,
            mandate_id=mandate,
            status="started",
            amount=order.total,
            currency=order.currency,
            created_at=now,
        )
        session.add(attempt)
        session.flush()
        order.status, order.rejection, order.placed_at = "pending", None, order.placed_at or now
        order.current_attempt_id = attempt.id
        saga.begin(session, order, attempt)
        placing.remember(session, key, request, order)


def active_mandate(order_id: int) -> str:
    customer_id = read(order_id).customer_id
    customer = placing.ask(lambda: placing.customers().get(f"/customers/{customer_id}"), "customer_unknown")
    mandate = next((row["id"] for row in customer["mandates"] if row["status"] == "active"), None)
    if mandate is None:
        raise Problem(409, "no_mandate", f"customer {customer_id} has no active mandate")
    return str(mandate)


def read(order_id: int) -> OrderOut:
    with transaction() as session:
        return OrderOut.model_validate(find(session, order_id))


def find(session: Session, order_id: int, *, lock: bool = False) -> Order:
    order = session.get(Order, order_id, with_for_update=lock)
    if order is None:
        raise not_found("order", order_id)
    return order
