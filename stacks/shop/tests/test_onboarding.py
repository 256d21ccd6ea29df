"""How somebody becomes a customer."""

from __future__ import annotations

import pytest
from client import TEST_IBAN, Shop, done, problem, unique

pytestmark = pytest.mark.standalone


def test_a_prospect_becomes_active_with_an_address(shop: Shop) -> None:
    person = {"email": f"{unique('new')}@example.com", "full_name": "Ada Example"}
    key = done(shop.customers.post("/customers", json=person), 201)["id"]
    problem(shop.customers.post(f"/customers/{key}/activate"), 409, "no_address")
    address = {"line1": "1 Test Street", "city": "London", "postal_code": "N1 1AA", "country_code": "GB"}
    done(shop.customers.post(f"/customers/{key}/addresses", json=address), 201)
    assert done(shop.customers.post(f"/customers/{key}/activate"))["status"] == "active"


def test_an_email_address_belongs_to_one_customer(shop: Shop) -> None:
    email = shop.customer()["email"]
    again = shop.customers.post("/customers", json={"email": email.upper(), "full_name": "Somebody Else"})
    problem(again, 409, "email_taken")


def test_an_address_in_an_unknown_country_is_refused(shop: Shop) -> None:
    customer = shop.customer()
    address = {"line1": "1 Nowhere", "city": "Nowhere", "postal_code": "0", "country_code": "ZZ"}
    problem(shop.customers.post(f"/customers/{customer['id']}/addresses", json=address), 409, "conflict")


def test_only_one_mandate_is_active(shop: Shop) -> None:
    customer = shop.customer(mandate=True)
    mandates = f"/customers/{customer['id']}/mandates"
    signed = {"iban": TEST_IBAN, "holder": "Test Buyer"}
    problem(shop.customers.post(mandates, json=signed), 409, "mandate_active")
    revoked = done(shop.customers.post(f"{mandates}/{customer['mandates'][0]['id']}/revoke"))
    assert revoked["status"] == "revoked"
    assert done(shop.customers.post(mandates, json=signed), 201)["status"] == "active"


def test_an_iban_with_a_wrong_check_digit_is_refused(shop: Shop) -> None:
    customer = shop.customer()
    signed = {"iban": TEST_IBAN.replace("02", "03", 1), "holder": "Test Buyer"}
    problem(shop.customers.post(f"/customers/{customer['id']}/mandates", json=signed), 422, "iban_invalid")
