"""Calls between services: credentials, timeouts, bounded retries with backoff, idempotency keys."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from shopkit.settings import seconds, setting

RETRIED = {429, 502, 503, 504}
stopping = threading.Event()  # set when the service shuts down: nobody waits any longer


class Unavailable(Exception):
    """The service did not answer, or could not. Whether it did what was asked is not known."""


class Refused(Exception):
    """The service understood and said no (4xx): asking again changes nothing."""

    def __init__(self, code: str, detail: str, status: int) -> None:
        super().__init__(detail)
        self.code, self.detail, self.status = code, detail, status


class ServiceClient:
    """One service as another sees it. `call` retries what is safe to repeat: reads, and writes with a key."""

    def __init__(self, name: str, transport: httpx.BaseTransport | None = None, **credentials: Any) -> None:
        self.name = name
        timeout = httpx.Timeout(seconds("SERVICE_TIMEOUT", 2), connect=seconds("SERVICE_CONNECT_TIMEOUT", 1))
        self.tries = int(setting("SERVICE_TRIES", "3"))
        self.http = httpx.Client(
            base_url=setting(f"{name.upper()}_URL"),
            timeout=timeout,
            transport=transport,
            trust_env=False,
            **credentials,
        )

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, path: str, *, key: str, json: Any = None) -> Any:
        """`key` names the intention: however often it is sent, it happens once."""
        return self.call("POST", path, json=json, headers={"Idempotency-Key": key})

    def delete(self, path: str, **params: Any) -> None:
        """Safe to repeat: what is gone stays so."""
        self.call("DELETE", path, params=params)

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of a 2xx answer. Raises Refused on 4xx, Unavailable when all tries failed."""
        reason = "not tried"
        for attempt in range(self.tries):
            if attempt and stopping.wait(0.1 * 2 ** (attempt - 1)):
                break
            try:
                response = self.http.request(method, path, **request)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            if response.is_success:
                return response.json() if response.content else None
            if response.is_client_error and response.status_code not in RETRIED:
                raise refusal(response)
            reason = f"status {response.status_code}"
        raise Unavailable(f"{self.name}: {reason}")


def refusal(response: httpx.Response) -> Refused:
    try:
        body = response.json()
    except ValueError:
        body = {}
    return Refused(body.get("title", "refused"), body.get("detail", response.text[:200]), response.status_code)


def customers() -> ServiceClient:
    return ServiceClient("customers", headers={"Authorization": f"Bearer {setting('CUSTOMERS_TOKEN')}"})


def catalog() -> ServiceClient:
    return ServiceClient("catalog", headers={"X-API-Key": setting("CATALOG_API_KEY")})


def billing() -> ServiceClient:
    return ServiceClient("billing", auth=(setting("BILLING_USERNAME"), setting("BILLING_PASSWORD")))


def payments() -> ServiceClient:
    """The payment provider, who is none of ours."""
    return ServiceClient("payments", headers={"Authorization": f"Bearer {setting('PAYMENTS_TOKEN')}"})


def mail() -> ServiceClient:
    """The provider who sends mail."""
    return ServiceClient("mail", headers={"Authorization": f"Bearer {setting('MAIL_TOKEN')}"})


def delivery() -> ServiceClient:
    return ServiceClient("delivery", headers={"X-API-Key": setting("DELIVERY_API_KEY")})
