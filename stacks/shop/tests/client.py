"""The shop as its clients see it: five HTTP APIs, and what the shop asks of those who are none of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import httpx

T = TypeVar("T")
PORTS = {"customers": 18001, "catalog": 18002, "orders": 18003, "billing": 18004, "delivery": 18005}
OUTSIDE = 18006  # those who are none of the shop's
TEST_IBAN = "DE02 1203 0000 0000 2020 51"  # published for tests; the check digits are right
LIMITS = httpx.Limits(keepalive_expiry=2)  # services close a connection that idles for five seconds, and a request may meet that
SOON = "2999-01-01T08:00:00+00:00", "2999-01-01T12:00:00+00:00"  # after any clock that a shop may have


def url(service: str) -> str:
    """Where seeder says the service is, else where the compose file publishes it."""
    return os.environ.get(f"SEEDER_{service.upper()}_URL", f"http://127.0.0.1:{PORTS.get(service, OUTSIDE)}")


def credentials(service: str) -> dict[str, Any]:
    match service:
        case "customers" | "orders":
            token = os.environ.get(f"{service.upper()}_TOKEN", f"{service}-dev-token")
            return {"headers": {"Authorization": f"Bearer {token}"}}
        case "catalog" | "delivery":
            return {"headers": {"X-API-Key": os.environ.get(f"{service.upper()}_API_KEY", f"{service}-dev-key")}}
    password = os.environ.get("BILLING_PASSWORD", "billing-dev-password")
    return {"auth": (os.environ.get("BILLING_USERNAME", "billing"), password)}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def eventually(look: Callable[[], T], until: Callable[[T], bool], within: float = 15) -> T:
    """What `look` sees as soon as `until` holds; fails with the last sight after `within` seconds."""
    deadline = time.monotonic() + within
    while not until(seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s; last seen: {seen}"
        time.sleep(0.05)
    return seen


class Shop:
    """Clients with credentials, and the few sentences in which the tests tell their stories."""

    def __init__(self) -> None:
        clients = {
            name: httpx.Client(base_url=url(name), timeout=30, limits=LIMITS, trust_env=False, **credentials(name)) for name in PORTS
        }
        self.clients = clients
        self.customers, self.catalog, self.orders = clients["customers"], clients["catalog"], clients["orders"]
        self.billing, self.delivery = clients["billing"], clients["delivery"]
        self.outside = clients["outside"] = httpx.Client(base_url=url("outside"), timeout=30, trust_env=False)

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def customer(self, country: str = "DE", *, mandate: bool = False, **more: Any) -> dict[str, Any]:
        """An active customer with an address in `country`, and a slot in which it can be reached."""
        address = {"line1": "Beispielweg 1", "city": "Musterstadt", "postal_code": "12345", "country_code": country}
        body = {"email": f"{unique('buyer')}@example.com", "full_name": "Test Buyer", "addresses": [address]} | more
        key = done(self.customers.post("/customers", json=body), 201)["id"]
        done(self.customers.post(f"/customers/{key}/activate"))
        if mandate:
            signed = {"iban": TEST_IBAN, "holder": "Test Buyer"}
            done(self.customers.post(f"/customers/{key}/mandates", json=signed), 201)
        slot = {"country_code": country, "starts_at": SOON[0], "ends_at": SOON[1], "capacity": 100_000}
        done(self.delivery.post("/slots", json=slot), 201)
        return done(self.customers.get(f"/customers/{key}"))

    def product(self, prices: dict[str, str] | None = None, *, stock: int = 10, **more: Any) -> dict[str, Any]:
        category = unique("category")
        done(self.catalog.post("/categories", json={"slug": category, "name": "Test goods"}), 201)
        body = {"sku": unique("SKU"), "name": "Test product", "category": category, "weight_grams": 500, "stock": stock}
        return done(self.catalog.post("/products", json=body | {"prices": prices or {"EUR": "25.00"}} | more), 201)

    def order(self, customer: dict[str, Any], product: dict[str, Any], quantity: int = 1, **more: Any) -> dict[str, Any]:
        items = [{"product_id": product["id"], "quantity": quantity}]
        return done(self.orders.post("/orders", json={"customer_id": customer["id"], "items": items} | more), 201)

    def checkout(self, order: int, card: str = "tok_visa", **more: Any) -> dict[str, Any]:
        """Check out and wait until the order is no longer pending."""
        body = more or {"method": "card", "card_token": card}
        answer = self.orders.post(f"/orders/{order}/checkout", json=body)
        assert answer.status_code in (200, 202), answer.text
        return eventually(lambda: done(self.orders.get(f"/orders/{order}")), lambda seen: seen["status"] != "pending")

    def stock(self, product: dict[str, Any]) -> dict[str, Any]:
        return done(self.catalog.get(f"/products/{product['id']}/stock"))

    def notified(self, customer: dict[str, Any], *subjects: str) -> list[str]:
        """The subjects that the customer was told about, once all of `subjects` are among them."""
        return eventually(
            lambda: [row["subject"] for row in done(self.customers.get(f"/customers/{customer['id']}/notifications"))],
            lambda seen: set(subjects) <= set(seen),
        )

    def mailed(self, customer: dict[str, Any], *templates: str) -> list[str]:
        """The templates of the mails to the customer, once all of `templates` are among them."""
        to = {"matchesJsonPath": {"expression": "$.to", "equalTo": customer["email"]}}
        asked = {"method": "POST", "urlPath": "/v1/messages", "bodyPatterns": [to]}

        def sent() -> list[str]:
            found = done(self.outside.post("/__admin/requests/find", json=asked))["requests"]
            return [json.loads(one["body"])["template"] for one in found]

        return eventually(sent, lambda seen: set(templates) <= set(seen))


def done(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
    return response.json()


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem+json of a refusal that is `status` and `code`."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), response.text
    body: dict[str, Any] = response.json()
    assert body["title"] == code, body
    return body
