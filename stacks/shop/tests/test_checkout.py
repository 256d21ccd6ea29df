"""The checkout saga, seen from outside: what succeeds, and what is undone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Shop, done, eventually, problem, unique

pytestmark = pytest.mark.standalone


def test_a_checkout_confirms_the_order_in_all_services(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product({"EUR": "25.00"}, stock=10)
    order = shop.order(customer, product, quantity=2)
    placed = shop.checkout(order["id"])
    assert (placed["status"], placed["rejection"]) == ("confirmed", None)
    assert shop.stock(product) | {"product_id": ""} == {"product_id": "", "on_hand": 8, "reserved": 0, "available": 8}
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert (invoice["status"], invoice["total"]) == ("paid", placed["total"])
    [shipment] = done(shop.delivery.get("/shipments", params={"order_id": order["id"]}))
    assert (shipment["status"], shipment["weight_grams"]) == ("scheduled", 1000)
    steps = done(shop.orders.get(f"/orders/{order['id']}/saga"))
    assert [step["status"] for step in steps] == ["done"] * 4


def test_the_customer_is_told_of_each_event_once(shop: Shop) -> None:
    customer = shop.customer()
    shop.checkout(shop.order(customer, shop.product())["id"])
    subjects = ("orders.placed", "payments.authorised", "deliveries.scheduled")
    assert sorted(shop.notified(customer, *subjects)) == sorted(subjects)
    assert shop.mailed(customer, "orders.placed") == ["orders.placed"]


def test_an_order_waits_for_a_payment_provider_who_is_away(shop: Shop) -> None:
    card, order = unique("tok").replace("-", "_"), shop.order(shop.customer(), shop.product())
    paid_so = {"matchesJsonPath": {"expression": "$.source", "equalTo": card}}
    asked = {"method": "POST", "urlPath": "/v1/payments", "bodyPatterns": [paid_so]}
    away = done(shop.outside.post("/__admin/mappings", json={"priority": 1, "request": asked, "response": {"status": 503}}), 201)
    answer = shop.orders.post(f"/orders/{order['id']}/checkout", json={"method": "card", "card_token": card})
    assert done(answer, 202)["status"] == "pending"
    done(shop.outside.delete(f"/__admin/mappings/{away['id']}"))
    paid = eventually(lambda: done(shop.orders.get(f"/orders/{order['id']}")), lambda seen: seen["status"] != "pending")
    assert (paid["status"], len(paid["attempts"])) == ("confirmed", 1)


def test_a_declined_card_gives_the_stock_back(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product(stock=3)
    order = shop.checkout(shop.order(customer, product, quantity=3)["id"], card="tok_declined")
    assert (order["status"], order["rejection"]) == ("rejected", "card_declined")
    assert shop.stock(product)["available"] == 3
    assert done(shop.billing.get("/invoices", params={"order_id": order["id"]})) == []
    steps = {step["step"]: step["status"] for step in done(shop.orders.get(f"/orders/{order['id']}/saga"))}
    assert steps == {"reserve": "compensated", "authorise": "refused", "schedule": "waiting", "confirm": "waiting"}


def test_without_a_delivery_slot_payment_and_stock_are_undone(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product(stock=3, weight_grams=600_000)  # too heavy for every carrier
    order = shop.checkout(shop.order(customer, product)["id"])
    assert (order["status"], order["rejection"]) == ("rejected", "no_slot")
    [payment] = done(shop.billing.get("/authorisations", params={"order_id": order["id"]}))
    assert payment["status"] == "voided"
    assert shop.stock(product)["available"] == 3
    assert order["attempts"][0]["status"] == "voided"


def test_a_rejected_order_can_be_paid_with_another_card(shop: Shop) -> None:
    order = shop.order(shop.customer(), shop.product())
    assert shop.checkout(order["id"], card="tok_declined")["status"] == "rejected"
    paid = shop.checkout(order["id"])
    assert paid["status"] == "confirmed"
    assert [attempt["status"] for attempt in paid["attempts"]] == ["declined", "authorised"]
    assert paid["current_attempt_id"] == paid["attempts"][1]["id"]


def test_what_is_out_of_stock_is_rejected_without_a_payment(shop: Shop) -> None:
    order = shop.checkout(shop.order(shop.customer(), shop.product(stock=1), quantity=2)["id"])
    assert (order["status"], order["rejection"]) == ("rejected", "out_of_stock")
    assert done(shop.billing.get("/authorisations", params={"order_id": order["id"]})) == []


def test_the_last_piece_is_sold_once(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product(stock=1)
    orders = [shop.order(customer, product)["id"] for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(order["status"] for order in pool.map(shop.checkout, orders))
    assert statuses == ["confirmed", "rejected", "rejected", "rejected"]
    assert shop.stock(product) | {"product_id": ""} == {"product_id": "", "on_hand": 0, "reserved": 0, "available": 0}


def test_asking_again_changes_nothing(shop: Shop) -> None:
    order = shop.order(shop.customer(), shop.product(stock=10))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(shop.checkout, [order["id"]] * 4))
    assert {answer["status"] for answer in answers} == {"confirmed"}
    assert len(done(shop.billing.get("/invoices", params={"order_id": order["id"]}))) == 1
    assert len(answers[0]["attempts"]) == 1


def test_an_idempotency_key_makes_one_order(shop: Shop) -> None:
    body = {"customer_id": shop.customer()["id"], "items": [{"product_id": shop.product()["id"], "quantity": 1}]}
    headers = {"Idempotency-Key": unique("key")}
    first, second = (done(shop.orders.post("/orders", json=body, headers=headers), 201)["id"] for _ in range(2))
    assert first == second
    other = shop.orders.post("/orders", json=body | {"note": "another request"}, headers=headers)
    problem(other, 422, "key_reused")


def test_a_repeated_request_is_no_new_attempt(shop: Shop) -> None:
    order = shop.order(shop.customer(), shop.product())
    body, headers = {"method": "card", "card_token": "tok_declined"}, {"Idempotency-Key": unique("key")}
    answers = [shop.orders.post(f"/orders/{order['id']}/checkout", json=body, headers=headers) for _ in range(2)]
    assert [done(answer)["status"] for answer in answers] == ["rejected", "rejected"]
    assert len(answers[1].json()["attempts"]) == 1


def test_a_large_payment_to_another_country_is_suspected(shop: Shop) -> None:
    customer = shop.customer()
    abroad = {"kind": "billing", "line1": "1 Main St", "city": "Springfield", "postal_code": "1", "country_code": "US"}
    done(shop.customers.post(f"/customers/{customer['id']}/addresses", json=abroad), 201)
    product = shop.product({"EUR": "4000.00"}, stock=3)
    order = shop.checkout(shop.order(customer, product)["id"])
    assert (order["status"], order["rejection"]) == ("rejected", "fraud_suspected")
    [payment] = done(shop.billing.get("/authorisations", params={"order_id": order["id"]}))
    assert payment["fraud"]["outcome"] == "rejected"
    assert {"large-amount", "other-country"} <= set(payment["fraud"]["hits"])
    assert shop.stock(product)["available"] == 3


def test_a_prospect_cannot_order(shop: Shop) -> None:
    person = {"email": f"{unique('prospect')}@example.com", "full_name": "No Address"}
    key = done(shop.customers.post("/customers", json=person), 201)["id"]
    body = {"customer_id": key, "items": [{"product_id": shop.product()["id"]}]}
    problem(shop.orders.post("/orders", json=body), 409, "customer_not_active")


def test_a_delivered_order_is_fulfilled(shop: Shop) -> None:
    order = shop.checkout(shop.order(shop.customer(), shop.product())["id"])
    [shipment] = done(shop.delivery.get("/shipments", params={"order_id": order["id"]}))
    for status in ("in_transit", "delivered"):
        done(shop.delivery.post(f"/shipments/{shipment['id']}/tracking", json={"status": status}))
    eventually(lambda: done(shop.orders.get(f"/orders/{order['id']}"))["status"], lambda status: status == "fulfilled")
