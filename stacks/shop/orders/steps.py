"""The steps of a checkout, each with what undoes it. All calls carry a key that names order, attempt and step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from orders import pricing
from orders.models import Order, PaymentAttempt
from shopkit import http

catalog, billing, delivery = cache(http.catalog), cache(http.billing), cache(http.delivery)


@dataclass(frozen=True)
class Checkout:
    """All that the steps need, read once, so that no transaction stays open while others are asked."""

    order_id: int
    customer_id: int
    attempt_no: int
    currency: str
    total: Decimal
    payment: dict[str, Any]
    lines: list[dict[str, Any]]
    invoice_lines: list[dict[str, Any]]
    ship_to: dict[str, Any]
    billing_country: str
    weight_grams: int

    def key(self, step: str) -> str:
        return f"order-{self.order_id}-{self.attempt_no}-{step}"


def of(order: Order, attempt: PaymentAttempt) -> Checkout:
    details = order.details
    return Checkout(
        order_id=order.id,
        customer_id=order.customer_id,
        attempt_no=attempt.attempt_no,
        currency=order.currency,
        total=order.total,
        payment={"method": attempt.method, "card_token": attempt.card_token, "mandate_id": attempt.mandate_id},
        lines=[{"product_id": str(item.product_id), "quantity": item.quantity} for item in order.items],
        invoice_lines=invoice_lines(order),
        ship_to=details["ship_to"],
        billing_country=details["billing_country"],
        weight_grams=details["weight_grams"],
    )


def invoice_lines(order: Order) -> list[dict[str, Any]]:
    """The items less their share of the discount, and shipping; together exactly the order's total."""
    shares = pricing.spread(order.discount, [item.line_total for item in order.items])
    lines = [
        {
            "product_id": str(item.product_id),
            "description": order.details["products"][str(item.product_id)]["name"],
            "quantity": item.quantity,
            "gross": str(item.line_total - share),
            "tax_class": order.details["products"][str(item.product_id)]["tax_class"],
        }
        for item, share in zip(order.items, shares, strict=True)
    ]
    if order.shipping:
        lines.append({"description": "Shipping", "quantity": 1, "gross": str(order.shipping)})
    return lines


def reserve(checkout: Checkout) -> dict[str, Any]:
    body = {"order_id": checkout.order_id, "lines": checkout.lines}
    answer = catalog().post("/reservations", key=checkout.key("reserve"), json=body)
    return {"reservation_id": answer["id"]}


def release(checkout: Checkout) -> None:
    key = checkout.key("reserve")
    catalog().post(f"/reservations/{key}/release", key=key)


def authorise(checkout: Checkout) -> dict[str, Any]:
    body = checkout.payment | {
        "order_id": checkout.order_id,
        "customer_id": checkout.customer_id,
        "amount": str(checkout.total),
        "currency": checkout.currency,
        "billing_country": checkout.billing_country,
        "shipping_country": checkout.ship_to["country_code"],
    }
    answer = billing().post("/authorisations", key=checkout.key("authorise"), json=body)
    if answer["status"] != "authorised":
        raise http.Refused(answer["decline_reason"] or answer["status"], "the payment was declined", 409)
    return {"authorisation_id": answer["id"], "risk": answer["fraud"]["score"]}


def void(checkout: Checkout) -> None:
    key = checkout.key("authorise")
    billing().post(f"/authorisations/{key}/void", key=key)


def schedule(checkout: Checkout) -> dict[str, Any]:
    body = {
        "order_id": checkout.order_id,
        "customer_id": checkout.customer_id,
        "address": checkout.ship_to,
        "weight_grams": checkout.weight_grams,
    }
    answer = delivery().post("/shipments", key=checkout.key("schedule"), json=body)
    return {"shipment_id": answer["id"], "tracking_number": answer["tracking_number"]}


def cancel(checkout: Checkout) -> None:
    key = checkout.key("schedule")
    delivery().post(f"/shipments/{key}/cancel", key=key)


def confirm(checkout: Checkout) -> dict[str, Any]:
    """Take the money, then the goods. Both are undone by void and release, which know this state as well."""
    payment, goods = checkout.key("authorise"), checkout.key("reserve")
    body = {"country": checkout.ship_to["country_code"], "lines": checkout.invoice_lines}
    invoice = billing().post(f"/authorisations/{payment}/capture", key=payment, json=body)
    catalog().post(f"/reservations/{goods}/commit", key=goods)
    return {"invoice_id": invoice["id"], "invoice": invoice["number"]}


def nothing(_: Checkout) -> None:
    """What confirm did is undone by the compensations of authorise and reserve."""


@dataclass(frozen=True)
class Step:
    name: str
    act: Callable[[Checkout], dict[str, Any]]
    undo: Callable[[Checkout], None]


STEPS = (
    Step("reserve", reserve, release),
    Step("authorise", authorise, void),
    Step("schedule", schedule, cancel),
    Step("confirm", confirm, nothing),
)
