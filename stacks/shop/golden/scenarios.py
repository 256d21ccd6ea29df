"""Small golden datasets that lie over `checkout`, one per scenario; their ids start where nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from golden.checkout import add_order
from golden.files import Dataset, ago, save
from golden.orders import Order
from golden.people import Person, people
from golden.reference import Product, products


def write(folder: Path) -> None:
    everybody, goods = people(), {product.sku: product for product in products()}
    subscriptions(everybody, goods, folder / "subscription-renewal")
    currencies(everybody, goods, folder / "multi-currency-invoice")
    fraud(everybody, goods, folder / "fraud-detected")


def subscriptions(everybody: list[Person], goods: dict[str, Product], folder: Path) -> None:
    """Coffee each month for customers with a mandate: 1001 to 1010 are due, the others are not. The first was renewed this morning."""
    data = Dataset()
    payers = [one for one in everybody if one.mandate and one.currency == "EUR"][:40]
    for key, one in enumerate(payers, 1001):
        due = "as_of" if key <= 1005 else ("as_of-31d" if key <= 1010 else "as_of+31d")
        data.add(
            "orders-db/subscriptions",
            id=key,
            customer_id=one.id,
            product_id=goods["COF-0502"].id,
            quantity=1 + key % 2,
            currency=one.currency,
            interval_months=3 if key % 7 == 5 else 1,
            anchor_day=15,
            status="active",
            next_renewal_on=due,
            created_at="as_of-200d",
        )
    data.write(folder)
    replay(folder, ("/subscriptions/1001/renew", None))


def currencies(everybody: list[Person], goods: dict[str, Product], folder: Path) -> None:
    """Three orders in other currencies than euro: 9001 in dollars and 9002 in pounds were paid, 9003 in francs waits."""
    data, german = Dataset(), everybody[0]
    american = next(one for one in everybody if one.country == "US" and one.status == "active")
    british = next(one for one in everybody if one.country == "GB" and one.mandate)
    lines = [(goods["CAM-1302"], 1), (goods["COF-0505"], 2)]
    for key, one, currency in ((9001, american, "USD"), (9002, british, "GBP"), (9003, german, "CHF")):
        add_order(data, Order(key, replace(one, segment="standard"), 2, "draft", currency, lines, []))
    data.write(folder)
    card = {"method": "card", "card_token": "tok_visa"}
    replay(folder, ("/orders/9001/checkout", card), ("/orders/9002/checkout", card))


def fraud(everybody: list[Person], goods: dict[str, Product], folder: Path) -> None:
    """A customer billed in the United States who has much sent to Germany: order 9101 was rejected, 9102 waits."""
    data, buyer = Dataset(), Person(9100, "DE", "Morgan Sample", "standard", "active", None)
    person = {"id": buyer.id, "email": "morgan.sample@example.com", "full_name": buyer.name, "segment": "standard"}
    data.add("customers-db/customers", **person, status="active", created_at=ago(3), updated_at=ago(3))
    abroad = {"line1": "1 Sample Avenue", "city": "Austin", "postal_code": "78701", "country_code": "US"}
    for key, kind, place in ((9101, "shipping", buyer.place), (9102, "billing", abroad)):
        data.add("customers-db/addresses", id=key, customer_id=buyer.id, kind=kind, **place, is_default=True)
    for key in (9101, 9102):
        order = Order(key, buyer, 2, "draft", "EUR", [(goods["DES-1906"], 18)], [])
        add_order(data, order)
        data.tables["orders-db/orders"][-1]["metadata"] = order.details | {"billing_country": "US"}
    data.write(folder)
    replay(folder, ("/orders/9101/checkout", {"method": "card", "card_token": "tok_visa"}))


def replay(folder: Path, *requests: tuple[str, dict[str, Any] | None]) -> None:
    """Requests that the orders service gets while the dataset is loaded."""
    key = f"Idempotency-Key: {folder.name}"
    texts = [f"POST {path}\nContent-Type: application/json\n{key}-{n}\n" for n, (path, _) in enumerate(requests, 1)]
    bodies = [f"\n{json.dumps(body)}\n" if body else "" for _, body in requests]
    save(
        folder / "orders/replay.http",
        ["\n###\n\n".join(text + body for text, body in zip(texts, bodies, strict=True)).rstrip("\n")],
    )
