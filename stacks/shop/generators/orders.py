"""What the orders team offers to scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from seeder import Context, Never, generator

OWNER, CONTACT = "orders-team", "orders-team@example.com"
Card = Annotated[str, Field(pattern="^tok_[a-z0-9_]+$")]


@dataclass
class Order:
    id: int
    number: str
    customer_id: int
    status: str
    total: str
    currency: str
    rejection: str | None = None


@dataclass
class Subscription:
    id: int
    customer_id: int
    status: str
    next_renewal_on: str


def order(given: dict[str, Any]) -> Order:
    keys = ("id", "number", "customer_id", "status", "total", "currency", "rejection")
    return Order(**{key: given[key] for key in keys})


def erase(ctx: Context, order: Order) -> None:
    """Once its checkout has come to an end; the other services forget it, too."""
    api = ctx.http("orders")
    ctx.eventually(lambda: api.get(f"/orders/{order.id}").json().get("status") != "pending", within="20s")
    gone = api.delete(f"/orders/{order.id}")
    if gone.status_code != 404:
        gone.raise_for_status()


@generator("orders.draft", version="1", owner=OWNER, contact=CONTACT, key="draft", undo=erase)
def draft(
    ctx: Context,
    *,
    customer_id: int,
    product_id: str,
    quantity: Annotated[int, Field(ge=1)] = 1,
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR",
) -> Order:
    """An order that was not checked out yet, at today's prices."""
    body = {"customer_id": customer_id, "currency": currency, "items": [{"product_id": product_id, "quantity": quantity}]}
    return order(ctx.http("orders").post("/orders", json=body).raise_for_status().json())


@generator("orders.check_out", version="1", owner=OWNER, contact=CONTACT, key="checkout", within="40s", undo="nothing")
def check_out(ctx: Context, *, order_id: int, card: Card | None = "tok_visa", until: Literal["placed", "settled"] = "settled") -> Order:
    """Pays an order, by card or (without one) by the customer's mandate, and waits until it is confirmed or rejected."""
    api, body = ctx.http("orders"), {"method": "card", "card_token": card} if card else {"method": "direct_debit"}
    placed = order(api.post(f"/orders/{order_id}/checkout", json=body).raise_for_status().json())
    if until == "placed" or placed.status != "pending":
        return placed
    return order(ctx.eventually(lambda: settled(api.get(f"/orders/{order_id}").raise_for_status().json()), within="30s"))


def settled(seen: dict[str, Any]) -> dict[str, Any] | None:
    return None if seen["status"] == "pending" else seen


@generator("orders.place", version="1", owner=OWNER, contact=CONTACT, key="place", within="40s", undo=erase)
def place(
    ctx: Context,
    *,
    customer_id: int,
    product_id: str,
    quantity: Annotated[int, Field(ge=1)] = 1,
    currency: str = "EUR",
    card: Card = "tok_visa",
) -> Order:
    """An order that was drafted and paid by card: confirmed, or never."""
    body = {"customer_id": customer_id, "currency": currency, "items": [{"product_id": product_id, "quantity": quantity}]}
    api = ctx.http("orders")
    drafted = order(api.post("/orders", json=body).raise_for_status().json())
    api.post(f"/orders/{drafted.id}/checkout", json={"method": "card", "card_token": card}).raise_for_status()
    done = order(ctx.eventually(lambda: settled(api.get(f"/orders/{drafted.id}").raise_for_status().json()), within="30s"))
    if done.status != "confirmed":
        erase(ctx, done)
        raise Never(f"order {done.id} is {done.status}: {done.rejection}")
    return done


@generator("orders.cancel", version="1", owner=OWNER, contact=CONTACT, key="cancel", undo="nothing")
def cancel(ctx: Context, *, order_id: int) -> Order:
    """Gives up a draft or a rejected order."""
    return order(ctx.http("orders").post(f"/orders/{order_id}/cancel").raise_for_status().json())


def unsubscribe(ctx: Context, subscription: Subscription) -> None:
    ctx.http("orders").delete(f"/subscriptions/{subscription.id}").raise_for_status()


@generator("orders.subscribe", version="1", owner=OWNER, contact=CONTACT, undo=unsubscribe)
def subscribe(ctx: Context, *, customer_id: int, product_id: str, interval_months: Annotated[int, Field(ge=1, le=12)] = 1) -> Subscription:
    """A subscription whose first renewal is due today."""
    body = {"customer_id": customer_id, "product_id": product_id, "interval_months": interval_months}
    found = ctx.http("orders").post("/subscriptions", json=body | {"first_renewal_on": ctx.as_of.date().isoformat()})
    return subscription(found.raise_for_status().json())


@generator("orders.renew", version="1", owner=OWNER, contact=CONTACT, key="renew", within="40s", undo=erase)
def renew(ctx: Context, *, subscription_id: int) -> Order:
    """Orders and pays the period that is due, by the customer's mandate."""
    api = ctx.http("orders")
    made = order(api.post(f"/subscriptions/{subscription_id}/renew").raise_for_status().json()["order"])
    return order(ctx.eventually(lambda: settled(api.get(f"/orders/{made.id}").raise_for_status().json()), within="30s"))


def subscription(given: dict[str, Any]) -> Subscription:
    return Subscription(given["id"], given["customer_id"], given["status"], given["next_renewal_on"])
