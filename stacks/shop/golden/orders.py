"""One order of the past: who bought what when, what it cost, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from golden.files import number, pick
from golden.people import Person
from golden.reference import Product
from orders.pricing import cents, spread

SHIPPING = {"EUR": ("4.90", "60.00"), "GBP": ("4.50", "55.00"), "USD": ("6.90", "75.00"), "CHF": ("5.50", "70.00")}
DISCOUNT = {"standard": 0, "plus": 5, "business": 8}


@dataclass(frozen=True)
class Attempt:
    """`outcome` is captured, or why it was declined; an order without stock never asks for money."""

    id: int
    number: int
    outcome: str

    @property
    def paid(self) -> bool:
        return self.outcome == "captured"


@dataclass(frozen=True)
class Order:
    id: int
    buyer: Person
    age: int  # hours before as_of
    status: str
    currency: str
    lines: list[tuple[Product, int]]
    attempts: list[Attempt]

    @cached_property
    def amounts(self) -> list[Decimal]:
        return [product.prices[self.currency] * quantity for product, quantity in self.lines]

    @property
    def subtotal(self) -> Decimal:
        return sum(self.amounts, Decimal(0))

    @property
    def discount(self) -> Decimal:
        return cents(self.subtotal * DISCOUNT[self.buyer.segment] / 100)

    @property
    def shipping(self) -> Decimal:
        flat, free_from = SHIPPING[self.currency]
        return Decimal("0.00") if self.subtotal - self.discount >= Decimal(free_from) else Decimal(flat)

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.shipping

    @property
    def weight(self) -> int:
        return sum(product.weight * quantity for product, quantity in self.lines)

    @property
    def paid(self) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.paid), None)

    @property
    def method(self) -> str:
        return "direct_debit" if self.buyer.mandate and self.id % 3 else "card"

    @property
    def rejection(self) -> str | None:
        return self.attempts[-1].outcome if self.status == "rejected" else None

    @property
    def placed(self) -> bool:
        return self.status not in ("draft", "cancelled")

    def key(self, attempt: Attempt, step: str) -> str:
        return f"order-{self.id}-{attempt.number}-{step}"

    @property
    def details(self) -> dict[str, Any]:
        products = {str(product.id): {"name": product.name, "tax_class": product.tax_class} for product, _ in self.lines}
        return {
            "ship_to": self.buyer.ship_to,
            "billing_country": self.buyer.country,
            "weight_grams": self.weight,
            "products": dict(sorted(products.items())),
        }

    def event(self, status: str) -> dict[str, Any]:
        """The payload of an event of the orders service, as that writes it."""
        known = {
            "order_id": self.id,
            "number": f"SO-{self.id:08d}",
            "customer_id": self.buyer.id,
            "currency": self.currency,
            "total": str(self.total),
            "status": status,
        }
        return known | ({"reason": self.rejection} if status == "rejected" else {})

    def invoice_lines(self) -> list[dict[str, Any]]:
        shares = spread(self.discount, self.amounts)
        lines = [
            {
                "product_id": product.id,
                "description": product.name,
                "quantity": quantity,
                "gross": amount - share,
                "tax_class": product.tax_class,
            }
            for (product, quantity), amount, share in zip(self.lines, self.amounts, shares, strict=True)
        ]
        if self.shipping:
            shipped = {"product_id": None, "description": "Shipping", "quantity": 1}
            lines.append(shipped | {"gross": self.shipping, "tax_class": "standard"})
        return lines


def basket(goods: list[Product], *key: object, lines: int = 4, pieces: int = 3) -> list[tuple[Product, int]]:
    """Up to `lines` different products, up to `pieces` of each."""
    start, count = number(len(goods), "goods", *key), 1 + number(lines, "lines", *key)
    chosen = [goods[(start + 7 * step) % len(goods)] for step in range(count)]
    return [(product, 1 + number(pieces, "pieces", product.sku, *key)) for product in chosen]


def history(everybody: list[Person], goods: list[Product], count: int = 300) -> list[Order]:
    """Orders 1 to `count` over four months, more of them lately; none within the last day."""
    buyers, attempts, orders = [one for one in everybody if one.status == "active"], 0, []
    for key in range(1, count + 1):
        age = 24 + int(2880 * ((count - key) / count) ** 1.7)
        status, outcomes = ending(key, age)
        buyer = pick(buyers, "buyer", key)
        made = [Attempt(attempts + n, n, outcome) for n, outcome in enumerate(outcomes, 1)]
        attempts += len(made)
        orders.append(Order(key, buyer, age, status, buyer.currency, basket(goods, key), made))
    return orders


def ending(key: int, age: int) -> tuple[str, list[str]]:
    if key % 30 == 7:
        return "rejected", ["card_declined"]
    if key % 30 == 17:
        return "rejected", ["out_of_stock"]
    if key % 25 == 3:
        return "cancelled", []
    outcomes = ["card_declined", "captured"] if key % 10 == 5 else ["captured"]
    return ("fulfilled" if delivered(age) else "confirmed"), outcomes


def delivered(age: int) -> bool:
    """Tours start 1, 5, 9, ... days before as_of; what left with the last of them is still on its way."""
    return tour(age) > 24


def tour(age: int) -> int:
    """When the parcel of an order of that age left: hours before as_of; tomorrow's tour is -24."""
    days = (age - 1) // 24
    return -24 if days < 2 else 24 * (days - (days - 1) % 4)
