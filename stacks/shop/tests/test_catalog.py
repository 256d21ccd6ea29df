"""Products, prices over a cache, stock."""

from __future__ import annotations

import pytest
from client import Shop, done, problem

pytestmark = pytest.mark.standalone


def amount(shop: Shop, product: str, currency: str) -> str | None:
    [offer] = done(shop.catalog.get("/offers", params={"currency": currency, "product": product}))
    return offer["amount"]


def test_a_price_is_valid_at_once_also_when_the_old_one_was_cached(shop: Shop) -> None:
    product = shop.product({"EUR": "10.00"})
    assert amount(shop, product["id"], "EUR") == "10.00"
    done(shop.catalog.put(f"/products/{product['id']}/prices/EUR", json={"amount": "12.50"}))
    assert amount(shop, product["id"], "EUR") == "12.50"


def test_a_product_without_a_price_in_a_currency_has_no_offer_there(shop: Shop) -> None:
    assert amount(shop, shop.product({"EUR": "10.00"})["id"], "USD") is None


def test_the_shop_window_counts_active_products(shop: Shop) -> None:
    category = "window-" + shop.product()["sku"].lower()
    done(shop.catalog.post("/categories", json={"slug": category, "name": "Window"}), 201)
    for price, status in (("30.00", "active"), ("20.00", "active"), ("10.00", "draft")):
        body = {"name": "Thing", "category": category, "weight_grams": 1, "status": status, "prices": {"EUR": price}}
        done(shop.catalog.post("/products", json=body | {"sku": f"{category}-{price}"}), 201)
    rows = {row["slug"]: row for row in done(shop.catalog.post("/categories/refresh"))}
    assert rows[category]["products"] == 2
    assert rows[category]["cheapest_eur"] == "20.00"


def test_stock_cannot_be_set_below_what_is_reserved(shop: Shop) -> None:
    product = shop.product(stock=5)
    lines = {
        "order_id": shop.order(shop.customer(), product)["id"],
        "lines": [{"product_id": product["id"], "quantity": 3}],
    }
    key = f"test-{product['sku']}"
    done(shop.catalog.post("/reservations", json=lines, headers={"Idempotency-Key": key}), 201)
    problem(shop.catalog.put(f"/products/{product['id']}/stock", json={"on_hand": 2}), 409, "conflict")
    done(shop.catalog.post(f"/reservations/{key}/release"))
    assert shop.stock(product)["available"] == 5


def test_a_reservation_that_arrives_after_its_release_is_refused(shop: Shop) -> None:
    product = shop.product(stock=5)
    key = f"late-{product['sku']}"
    done(shop.catalog.post(f"/reservations/{key}/release"))
    lines = {
        "order_id": shop.order(shop.customer(), product)["id"],
        "lines": [{"product_id": product["id"], "quantity": 3}],
    }
    late = shop.catalog.post("/reservations", json=lines, headers={"Idempotency-Key": key})
    problem(late, 409, "cancelled")
    assert shop.stock(product)["reserved"] == 0
