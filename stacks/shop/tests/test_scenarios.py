"""What can be done with the state that a scenario gives; each test is skipped where its scenario is not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from client import Shop, done

Output = Callable[[str], int]


def test_a_prepared_order_is_paid_with_the_customers_mandate(shop: Shop, output: Output) -> None:
    order = done(shop.orders.get(f"/orders/{output('order_id')}"))
    before = [done(shop.catalog.get(f"/products/{item['product_id']}/stock"))["on_hand"] for item in order["items"]]
    paid = shop.checkout(order["id"], method="direct_debit")
    assert paid["status"] == "confirmed"
    after = [done(shop.catalog.get(f"/products/{item['product_id']}/stock"))["on_hand"] for item in order["items"]]
    assert [b - a for b, a in zip(before, after, strict=True)] == [item["quantity"] for item in order["items"]]
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert (invoice["status"], invoice["total"]) == ("open", order["total"])
    assert "deliveries.scheduled" in shop.notified({"id": order["customer_id"]}, "deliveries.scheduled")


def test_a_filled_basket_is_ordered_and_paid(shop: Shop, output: Output) -> None:
    customer = output("basket_customer_id")
    basket = done(shop.orders.get(f"/baskets/{customer}"))
    order = done(shop.orders.post(f"/baskets/{customer}/order"), 201)
    wanted = {item["product_id"]: item["quantity"] for item in basket["items"]}
    assert {item["product_id"]: item["quantity"] for item in order["items"]} == wanted
    assert shop.checkout(order["id"])["status"] == "confirmed"


def test_with_several_currencies_on_anybody_may_pay_in_dollars(shop: Shop, output: Output) -> None:
    german = done(shop.orders.get(f"/orders/{output('order_id')}"))
    item = {"product_id": german["items"][0]["product_id"], "quantity": 1}
    body = {"customer_id": german["customer_id"], "currency": "USD", "items": [item]}
    order = shop.checkout(done(shop.orders.post("/orders", json=body), 201)["id"])
    assert (order["status"], order["currency"]) == ("confirmed", "USD")


def test_a_past_order_is_known_to_all_services(shop: Shop, output: Output) -> None:
    output("order_id")
    order = done(shop.orders.get("/orders/1"))
    assert order["status"] == "fulfilled"
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": 1}))
    [shipment] = done(shop.delivery.get("/shipments", params={"order_id": 1}))
    [reservation] = done(shop.catalog.get("/reservations", params={"order_id": 1}))
    assert (invoice["total"], shipment["status"], reservation["status"]) == (order["total"], "delivered", "committed")


def test_due_subscriptions_are_renewed_once_per_period(shop: Shop, output: Output) -> None:
    key = output("subscription_id")
    renewal = done(shop.orders.post(f"/subscriptions/{key}/renew"))
    assert renewal["order"]["status"] == "confirmed"
    again = done(shop.orders.post(f"/subscriptions/{key}/renew"))
    assert (again["order"]["id"], again["period"]) == (renewal["order"]["id"], renewal["period"])


def test_an_order_in_francs_is_invoiced_with_its_worth_in_euro(shop: Shop, output: Output) -> None:
    order = shop.checkout(output("chf_order_id"))
    assert order["status"] == "confirmed"
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert invoice["currency"] == "CHF"
    assert Decimal(invoice["total_eur"]) > Decimal(invoice["total"])  # a franc is worth more than a euro


def test_another_large_order_of_a_suspected_customer_is_rejected_too(shop: Shop, output: Output) -> None:
    order = shop.checkout(output("suspicious_order_id"))
    assert (order["status"], order["rejection"]) == ("rejected", "fraud_suspected")
    assert done(shop.delivery.get("/shipments", params={"order_id": order["id"]})) == []
