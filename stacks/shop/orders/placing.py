"""How a draft order comes to be: the customer and the offers are asked for, then all is written at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from orders import flags, pricing
from orders.models import Channel, IdempotencyKey, Order, OrderItem, PricingRule
from orders.schemas import OrderIn
from shopkit import clock, http
from shopkit.database import serialise
from shopkit.problems import Problem, unavailable

catalog, customers = cache(http.catalog), cache(http.customers)


def known(session: Session, key: str | None, request: str) -> Order | None:
    """The order that `key` made before. The same key with another request is an error of the client."""
    if key is None:
        return None
    serialise(session, key)
    row = session.get(IdempotencyKey, key)
    if row is None:
        return None
    if row.request_digest != digest(request):
        raise Problem(422, "key_reused", f"the idempotency key {key} was used for another request")
    return session.get_one(Order, row.order_id)


def remember(session: Session, key: str | None, request: str, order: Order) -> None:
    if key is not None:
        now = clock.now()
        session.add(IdempotencyKey(key=key, request_digest=digest(request), order_id=order.id, created_at=now))


def digest(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()


def draft(session: Session, given: OrderIn, facts: Facts) -> Order:
    """Write the order down; `facts` were gathered before, so that the transaction is short."""
    customer, offers = facts.customer, facts.offers
    if session.get(Channel, given.channel) is None:
        raise Problem(422, "channel_unknown", f"there is no channel {given.channel}")
    if given.currency != customer["home_currency"] and not flags.enabled(session, "multi_currency"):
        raise Problem(422, "currency_not_home", f"orders of this customer are in {customer['home_currency']}")
    items = lines(given, offers)
    subtotal = sum((item.quantity * item.unit_price for item in items), Decimal(0))
    rules = session.scalars(select(PricingRule).where(PricingRule.active))
    percent = Decimal(customer["discount_percent"])
    price = pricing.price(subtotal, given.currency, customer["segment"], percent, rules)
    order = Order(
        customer_id=given.customer_id,
        channel=given.channel,
        currency=given.currency,
        subtotal=price.subtotal,
        discount=price.discount,
        shipping=price.shipping,
        total=price.total,
        details=details(given, customer, offers),
        created_at=clock.now(),
        items=items,
    )
    session.add(order)
    session.flush()
    session.refresh(order)
    return order


@dataclass(frozen=True)
class Facts:
    """What the other services say about an order to be: who buys, and what each product is and costs."""

    customer: dict[str, Any]
    offers: dict[UUID, dict[str, Any]]


def gather(given: OrderIn) -> Facts:
    """Ask customers and catalog; needs no transaction and must not be called in one."""
    return Facts(buyer(given), offered(given))


def buyer(given: OrderIn) -> dict[str, Any]:
    """The customer, who must be active and have an address."""
    customer: dict[str, Any] = ask(lambda: customers().get(f"/customers/{given.customer_id}"), "customer_unknown")
    if customer["status"] != "active":
        raise Problem(409, "customer_not_active", f"customer {given.customer_id} is {customer['status']}")
    if address(customer, "shipping") is None:
        raise Problem(409, "no_address", f"customer {given.customer_id} has no shipping address")
    return customer


def offered(given: OrderIn) -> dict[UUID, dict[str, Any]]:
    """What each product of the order is and costs; 422 names those that cannot be bought."""
    products = list({str(item.product_id) for item in given.items})
    if len(products) > pricing.tariff().max_lines:
        raise Problem(422, "too_many_lines", f"an order has at most {pricing.tariff().max_lines} products")
    rows = ask(lambda: catalog().get("/offers", currency=given.currency, product=sorted(products)), "offers_refused")
    offers = {UUID(row["product_id"]): row for row in rows if row["status"] == "active" and row["amount"] is not None}
    missing = sorted(product for product in products if UUID(product) not in offers)
    if missing:
        raise Problem(422, "not_for_sale", f"not for sale in {given.currency}", products=missing)
    return offers


def ask(call: Any, code: str) -> Any:
    """The answer of another service; its refusal is a 422 `code`, its silence a 503."""
    try:
        return call()
    except http.Refused as error:
        raise Problem(422, code, error.detail) from error
    except http.Unavailable as error:
        raise unavailable("another service") from error


def lines(given: OrderIn, offers: dict[UUID, dict[str, Any]]) -> list[OrderItem]:
    """One line per product, in the order in which they were asked for."""
    counts: Counter[UUID] = Counter()
    for item in given.items:
        counts[item.product_id] += item.quantity
    return [
        OrderItem(
            line_no=number,
            product_id=product,
            sku=offers[product]["sku"],
            quantity=quantity,
            unit_price=Decimal(offers[product]["amount"]),
        )
        for number, (product, quantity) in enumerate(counts.items(), 1)
    ]


def details(given: OrderIn, customer: dict[str, Any], offers: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    """What the order keeps of the customer and the products as they were when it was made."""
    ship_to, bill_to = address(customer, "shipping"), address(customer, "billing") or address(customer, "shipping")
    assert ship_to is not None
    assert bill_to is not None
    parts = ("line1", "line2", "city", "postal_code", "country_code")
    products = {str(key): {"name": row["name"], "tax_class": row["tax_class"]} for key, row in offers.items()}
    kept = {
        "ship_to": {"name": customer["full_name"]} | {part: ship_to[part] for part in parts if ship_to[part] is not None},
        "billing_country": bill_to["country_code"],
        "weight_grams": sum(offers[item.product_id]["weight_grams"] * item.quantity for item in given.items),
        "products": dict(sorted(products.items())),
    }
    return kept | ({"note": given.note} if given.note else {})


def address(customer: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((row for row in customer["addresses"] if row["kind"] == kind and row["is_default"]), None)
