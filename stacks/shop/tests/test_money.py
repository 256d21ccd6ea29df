"""Direct debit, several currencies, discounts and shipping."""

from __future__ import annotations

from decimal import Decimal

import pytest
from client import Shop, done, problem

pytestmark = pytest.mark.standalone


def test_direct_debit_uses_the_active_mandate_and_is_due_later(shop: Shop) -> None:
    customer = shop.customer(mandate=True)
    order = shop.checkout(shop.order(customer, shop.product())["id"], method="direct_debit")
    assert order["status"] == "confirmed"
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert invoice["status"] == "open"
    assert invoice["due_on"] > invoice["issued_on"]


def test_direct_debit_without_a_mandate_is_refused_before_anything_happens(shop: Shop) -> None:
    order = shop.order(shop.customer(), shop.product())
    problem(shop.orders.post(f"/orders/{order['id']}/checkout", json={"method": "direct_debit"}), 409, "no_mandate")
    assert done(shop.orders.get(f"/orders/{order['id']}"))["status"] == "draft"


def test_somebody_elses_mandate_is_declined(shop: Shop) -> None:
    theirs = shop.customer(mandate=True)["mandates"][0]["id"]
    order = shop.order(shop.customer(mandate=True), shop.product())
    rejected = shop.checkout(order["id"], method="direct_debit", mandate_id=theirs)
    assert (rejected["status"], rejected["rejection"]) == ("rejected", "mandate_invalid")


@pytest.mark.parametrize(("currency", "country", "rate"), [("EUR", "DE", "0.1900"), ("GBP", "GB", "0.2000"), ("USD", "US", "0.0000")])
def test_an_invoice_adds_up_in_its_currency_and_in_euro(shop: Shop, currency: str, country: str, rate: str) -> None:
    product = shop.product({currency: "33.33"}, stock=10)
    order = shop.checkout(shop.order(shop.customer(country), product, quantity=3, currency=currency)["id"])
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert (invoice["currency"], invoice["total"]) == (currency, order["total"])
    assert invoice["lines"][0]["tax_rate"] == rate
    gross, net = Decimal(invoice["lines"][0]["gross"]), Decimal(invoice["lines"][0]["net"])
    assert gross == Decimal("99.99")
    assert abs(net * (1 + Decimal(rate)) - gross) < Decimal("0.01")
    assert Decimal(invoice["net"]) + Decimal(invoice["tax"]) == Decimal(order["total"])
    euro = Decimal(invoice["total"]) * Decimal(invoice["exchange_rate"])
    assert abs(Decimal(invoice["total_eur"]) - euro) <= Decimal("0.005")


def test_what_has_no_price_in_a_currency_cannot_be_ordered_in_it(shop: Shop) -> None:
    customer, product = shop.customer("US"), shop.product({"EUR": "10.00"})
    body = {"customer_id": customer["id"], "currency": "USD", "items": [{"product_id": product["id"]}]}
    assert problem(shop.orders.post("/orders", json=body), 422, "not_for_sale")["products"] == [product["id"]]


def test_a_segment_has_its_discount_and_the_lines_still_add_up(shop: Shop) -> None:
    customer, product = shop.customer(segment="plus"), shop.product({"EUR": "19.99"})
    order = shop.checkout(shop.order(customer, product, quantity=3)["id"])
    assert (order["subtotal"], order["discount"]) == ("59.97", "3.00")
    [invoice] = done(shop.billing.get("/invoices", params={"order_id": order["id"]}))
    assert sum(Decimal(line["gross"]) for line in invoice["lines"]) == Decimal(order["total"])


def test_shipping_is_free_from_a_value_of_goods_on(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product({"EUR": "10.00"}, stock=100)
    assert Decimal(shop.order(customer, product)["shipping"]) > 0
    assert Decimal(shop.order(customer, product, quantity=15)["shipping"]) == 0
