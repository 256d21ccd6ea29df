"""The orders service: baskets, orders, checkout, subscriptions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select, update

from orders import baskets, checkout, erasing, flags, placing, renewals, worker
from orders.checkout import OptionalKey
from orders.models import Order, Outbox
from orders.schemas import OrderIn, OrderOut
from shopkit.auth import bearer
from shopkit.database import transaction
from shopkit.events import Events
from shopkit.problems import Problem
from shopkit.service import service

router = APIRouter()
for part in (checkout, baskets, renewals, flags, erasing):
    router.include_router(part.router)
events = Events(Outbox, durable="fulfilment")


@router.post("/orders", status_code=201, tags=["orders"])
def create_order(given: OrderIn, idempotency_key: OptionalKey = None) -> OrderOut:
    """A draft with today's prices. The same Idempotency-Key gives the same order again."""
    key, request = idempotency_key and f"order/{idempotency_key}", given.model_dump_json()
    with transaction() as session:
        before = placing.known(session, key, request)
        if before is not None:
            return OrderOut.model_validate(before)
    facts = placing.gather(given)
    with transaction() as session:
        order = placing.known(session, key, request)
        if order is None:
            order = placing.draft(session, given, facts)
            placing.remember(session, key, request, order)
        return OrderOut.model_validate(order)


@router.get("/orders", tags=["orders"])
def find_orders(customer_id: int | None = None, status: str | None = None, limit: int = 50) -> list[OrderOut]:
    query = select(Order).order_by(Order.id.desc()).limit(min(limit, 200))
    if customer_id is not None:
        query = query.where(Order.customer_id == customer_id)
    if status is not None:
        query = query.where(Order.status == status)
    with transaction() as session:
        return [OrderOut.model_validate(row) for row in session.scalars(query)]


@router.get("/orders/{order_id}", tags=["orders"])
def read_order(order_id: int) -> OrderOut:
    return checkout.read(order_id)


@router.post("/orders/{order_id}/cancel", tags=["orders"])
def cancel_order(order_id: int) -> OrderOut:
    """Give up a draft or a rejected order; what is placed runs its course."""
    with transaction() as session:
        order = checkout.find(session, order_id, lock=True)
        if order.status not in ("draft", "rejected", "cancelled"):
            raise Problem(409, "order_placed", f"order {order_id} is {order.status}")
        order.status = "cancelled"
        return OrderOut.model_validate(order)


@events.on("deliveries.delivered")
def fulfil(_message_id: str, _subject: str, payload: dict[str, Any]) -> None:
    mine = (Order.id == payload["order_id"], Order.status == "confirmed")
    with transaction() as session:
        session.execute(update(Order).where(*mine).values(status="fulfilled"))


app = service("orders", bearer("ORDERS_TOKEN"), router, background=[events.run, worker.run])
