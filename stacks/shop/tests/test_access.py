"""Who may call, and what everybody may see."""

from __future__ import annotations

import httpx
import pytest
from client import PORTS, Shop, done, problem, url

pytestmark = pytest.mark.standalone
CHALLENGES = {
    "customers": ("/customers", "Bearer"),
    "catalog": ("/categories", "ApiKey"),
    "orders": ("/orders", "Bearer"),
    "billing": ("/invoices", 'Basic realm="shop"'),
    "delivery": ("/carriers", "ApiKey"),
}


@pytest.mark.parametrize("service", PORTS)
def test_without_credentials_nothing_is_told(service: str) -> None:
    path, challenge = CHALLENGES[service]
    answer = httpx.get(url(service) + path, trust_env=False)
    problem(answer, 401, "unauthorised")
    assert answer.headers["www-authenticate"] == challenge


@pytest.mark.parametrize("service", PORTS)
def test_wrong_credentials_are_refused(service: str) -> None:
    path, _ = CHALLENGES[service]
    wrong = {"Authorization": "Bearer wrong", "X-API-Key": "wrong"}
    problem(httpx.get(url(service) + path, headers=wrong, trust_env=False), 401, "unauthorised")


@pytest.mark.parametrize("service", PORTS)
def test_health_and_api_description_are_public(service: str) -> None:
    assert done(httpx.get(f"{url(service)}/healthz", trust_env=False)) == {"status": "ok"}
    described = done(httpx.get(f"{url(service)}/openapi.json", trust_env=False))
    assert described["info"]["title"] == service
    assert described["components"]["securitySchemes"]


def test_a_request_that_does_not_fit_names_the_place(shop: Shop) -> None:
    body = problem(shop.orders.post("/orders", json={"customer_id": 1, "items": []}), 422, "invalid")
    assert [error["at"] for error in body["errors"]] == ["body.items"]


def test_what_is_not_there_is_a_404(shop: Shop) -> None:
    problem(shop.orders.get("/orders/999999999"), 404, "not_found")
