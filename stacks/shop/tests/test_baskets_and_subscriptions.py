"""Baskets that become orders, subscriptions that renew themselves."""

from __future__ import annotations

from typing import Any

import pytest
from client import Shop, done, problem

pytestmark = pytest.mark.standalone
LONG_AGO = "2020-01-31"  # due under any clock


def subscribe(shop: Shop, **more: Any) -> dict[str, Any]:
    body = {"customer_id": shop.customer(mandate=True)["id"], "product_id": shop.product(stock=10)["id"]}
    return done(shop.orders.post("/subscriptions", json=body | {"first_renewal_on": LONG_AGO} | more), 201)


def test_a_basket_becomes_an_order_and_a_new_one_can_be_filled(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product()
    item = f"/baskets/{customer['id']}/items/{product['id']}"
    done(shop.orders.put(item, json={"quantity": 5}))
    assert done(shop.orders.put(item, json={"quantity": 2}))["items"] == [{"product_id": product["id"], "quantity": 2}]
    order = done(shop.orders.post(f"/baskets/{customer['id']}/order"), 201)
    assert [(row["product_id"], row["quantity"]) for row in order["items"]] == [(product["id"], 2)]
    problem(shop.orders.get(f"/baskets/{customer['id']}"), 404, "not_found")
    assert done(shop.orders.put(item, json={"quantity": 1}))["status"] == "open"


def test_an_empty_basket_is_no_order(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product()
    for quantity in (1, 0):
        done(shop.orders.put(f"/baskets/{customer['id']}/items/{product['id']}", json={"quantity": quantity}))
    problem(shop.orders.post(f"/baskets/{customer['id']}/order"), 409, "basket_empty")


def test_a_renewal_orders_and_pays_one_period(shop: Shop) -> None:
    subscription = subscribe(shop)
    renewal = done(shop.orders.post(f"/subscriptions/{subscription['id']}/renew"))
    assert (renewal["period"], renewal["order"]["status"]) == (LONG_AGO, "confirmed")
    assert renewal["order"]["channel"] == "subscription"
    assert renewal["subscription"]["next_renewal_on"] == "2020-02-29"  # the last day of a shorter month


def test_the_anchor_day_comes_back_after_a_short_month(shop: Shop) -> None:
    subscription = subscribe(shop)
    for expected in ("2020-02-29", "2020-03-31"):
        renewal = done(shop.orders.post(f"/subscriptions/{subscription['id']}/renew"))
        assert renewal["subscription"]["next_renewal_on"] == expected


def test_a_subscription_that_is_not_due_is_not_renewed(shop: Shop) -> None:
    subscription = subscribe(shop, first_renewal_on="2999-01-31")
    problem(shop.orders.post(f"/subscriptions/{subscription['id']}/renew"), 409, "not_due")


def test_a_renewal_that_cannot_be_paid_is_past_due(shop: Shop) -> None:
    customer = shop.customer(mandate=True)
    product = shop.product({"EUR": "10.00"}, stock=0)
    body = {"customer_id": customer["id"], "product_id": product["id"], "first_renewal_on": LONG_AGO}
    subscription = done(shop.orders.post("/subscriptions", json=body), 201)
    renewal = done(shop.orders.post(f"/subscriptions/{subscription['id']}/renew"))
    assert (renewal["order"]["status"], renewal["subscription"]["status"]) == ("rejected", "past_due")


def test_a_cancelled_subscription_is_not_renewed(shop: Shop) -> None:
    subscription = subscribe(shop)
    done(shop.orders.post(f"/subscriptions/{subscription['id']}/cancel"))
    problem(shop.orders.post(f"/subscriptions/{subscription['id']}/renew"), 409, "not_due")
