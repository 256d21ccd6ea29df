"""What the billing team offers to scenarios."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from seeder import Context, Never, TryAgain, generator

OWNER, CONTACT = "billing-team", "billing-team@example.com"


@dataclass
class Invoice:
    id: int
    number: str
    order_id: int
    total: str
    currency: str
    status: str


@dataclass
class Authorisation:
    id: int
    order_id: int
    status: str
    decline_reason: str | None
    fraud: str | None


@dataclass
class Declines:
    reason: str
    mappings: list[str]


@dataclass
class Rate:
    currency: str
    rate: str


@generator("billing.invoice_of", version="1", owner=OWNER, contact=CONTACT, key="invoice", undo="nothing")
def invoice_of(ctx: Context, *, order_id: int) -> Invoice:
    """The invoice of an order, as soon as there is one."""
    found = ctx.http("billing").get("/invoices", params={"order_id": order_id}).raise_for_status().json()
    if not found:
        raise TryAgain(f"order {order_id} has no invoice yet", after="100ms")
    one = found[0]
    return Invoice(one["id"], one["number"], order_id, one["total"], one["currency"], one["status"])


@generator("billing.authorisation_of", version="1", owner=OWNER, contact=CONTACT, key="authorisation", undo="nothing")
def authorisation_of(ctx: Context, *, order_id: int) -> Authorisation:
    """The last authorisation of an order, and what the fraud check said of it."""
    found = ctx.http("billing").get("/authorisations", params={"order_id": order_id}).raise_for_status().json()
    if not found:
        raise TryAgain(f"order {order_id} has no authorisation yet", after="100ms")
    one = found[-1]
    return Authorisation(one["id"], order_id, one["status"], one["decline_reason"], one["fraud"] and one["fraud"]["outcome"])


@generator("billing.refund", version="1", owner=OWNER, contact=CONTACT, key="refund", undo="nothing")
def refund(ctx: Context, *, order_id: int) -> Invoice:
    """Gives the money of an order back: its authorisation is voided, and its invoice cancelled with it."""
    api = ctx.http("billing")
    paid = [
        one for one in api.get("/authorisations", params={"order_id": order_id}).raise_for_status().json() if one["status"] != "declined"
    ]
    if not paid:
        raise Never(f"order {order_id} was not paid")
    api.post(f"/authorisations/{paid[-1]['idempotency_key']}/void").raise_for_status()
    return invoice_of(ctx, order_id=order_id)


def declines_no_more(ctx: Context, told: Declines) -> None:
    for mapping in told.mappings:
        ctx.stub("outside").forget(mapping)


@generator("billing.provider_declines", version="1", owner=OWNER, contact=CONTACT, origin="inserted", key="declines", undo=declines_no_more)
def provider_declines(ctx: Context, *, reason: str = "insufficient_funds", times: Annotated[int, Field(ge=1)] = 1) -> Declines:
    """The payment provider declines so many payments, whatever they are paid with, before it takes one."""
    story, provider = ctx.unique("declines"), ctx.stub("outside")
    states = ["Started", *(f"declined {number}" for number in range(1, times + 1))]
    return Declines(reason, [provider.answer(declined(reason, story, *pair)) for pair in itertools.pairwise(states)])


def declined(reason: str, story: str, before: str, after: str) -> dict[str, Any]:
    return {
        "name": f"declined: {reason}",
        "priority": 1,
        "scenarioName": story,
        "requiredScenarioState": before,
        "newScenarioState": after,
        "request": {"method": "POST", "urlPath": "/v1/payments"},
        "response": {"status": 402, "jsonBody": {"title": reason, "detail": "the provider was told to decline"}},
    }


@generator("billing.set_exchange_rate", version="1", owner=OWNER, contact=CONTACT, key="rate")
def set_exchange_rate(ctx: Context, *, currency: str, rate: str) -> Rate:
    """Euro for one unit of the currency, from today on."""
    ctx.http("billing").put(f"/exchange-rates/{currency}", json={"rate": rate}).raise_for_status()
    return Rate(currency, rate)
