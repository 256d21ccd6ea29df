"""What the customers team offers to scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from seeder import Context, generator

OWNER, CONTACT = "customers-team", "customers-team@example.com"
IBAN = "DE02 1203 0000 0000 2020 51"  # published for tests; the check digits are right
PLACES = {"EU": ("DE", "12345", "Musterstadt"), "US": ("US", "94016", "Daly City"), "UK": ("GB", "SW1A 1AA", "London")}
Region = Literal["EU", "US", "UK"]


@dataclass
class Customer:
    id: int
    email: str
    status: str
    country: str


@dataclass
class Mandate:
    id: str
    customer_id: int
    status: str


def of_this_step(ctx: Context, *, region: Region, **_: Any) -> Customer | None:
    found = ctx.http("customers").get("/customers", params={"email": email(ctx)}).raise_for_status().json()
    return Customer(found[0]["id"], found[0]["email"], found[0]["status"], PLACES[region][0]) if found else None


def email(ctx: Context) -> str:
    return f"{ctx.unique('buyer')}@example.com"


def erase(ctx: Context, customer: Customer) -> None:
    ctx.http("customers").delete(f"/customers/{customer.id}").raise_for_status()


@generator("customers.create", version="1", owner=OWNER, contact=CONTACT, find=of_this_step, undo=erase, within="10s")
def create(
    ctx: Context,
    *,
    region: Region = "EU",
    status: Literal["prospect", "active", "suspended", "closed"] = "active",
    segment: Annotated[str, Field(min_length=1)] = "standard",
) -> Customer:
    """A customer with an address in the region, as far in the lifecycle as `status` says."""
    country, postal_code, city = PLACES[region]
    address = {"line1": "Beispielweg 1", "city": city, "postal_code": postal_code, "country_code": country}
    body = {"email": email(ctx), "full_name": ctx.fake.name(), "segment": segment, "addresses": [address]}
    api = ctx.http("customers")
    customer = api.post("/customers", json=body).raise_for_status().json()
    if status != "prospect":
        customer = api.post(f"/customers/{customer['id']}/activate").raise_for_status().json()
    if status in ("suspended", "closed"):
        customer = api.patch(f"/customers/{customer['id']}", json={"status": status}).raise_for_status().json()
    return Customer(customer["id"], customer["email"], customer["status"], country)


@generator("customers.suspend", version="1", owner=OWNER, contact=CONTACT, key="suspend", undo="nothing")
def suspend(ctx: Context, *, customer_id: int) -> Customer:
    """The customer may not buy until somebody looked into it."""
    found = ctx.http("customers").patch(f"/customers/{customer_id}", json={"status": "suspended"}).raise_for_status().json()
    return Customer(found["id"], found["email"], found["status"], found["addresses"][0]["country_code"])


def active_mandate(ctx: Context, *, customer_id: int) -> Mandate | None:
    found = ctx.http("customers").get(f"/customers/{customer_id}").raise_for_status().json()
    return next((Mandate(one["id"], customer_id, one["status"]) for one in found["mandates"] if one["status"] == "active"), None)


@generator("customers.sign_mandate", version="1", owner=OWNER, contact=CONTACT, find=active_mandate, undo="nothing", within="10s")
def sign_mandate(ctx: Context, *, customer_id: int) -> Mandate:
    """A direct debit mandate of the customer, active at once."""
    body = {"iban": IBAN, "holder": ctx.fake.name()}
    found = ctx.http("customers").post(f"/customers/{customer_id}/mandates", json=body).raise_for_status().json()
    return Mandate(found["id"], customer_id, found["status"])


@generator("customers.revoke_mandate", version="1", owner=OWNER, contact=CONTACT, key="revoke", undo="nothing")
def revoke_mandate(ctx: Context, *, customer_id: int, mandate_id: str) -> Mandate:
    """Takes a mandate back: nothing can be collected with it any more."""
    found = ctx.http("customers").post(f"/customers/{customer_id}/mandates/{mandate_id}/revoke").raise_for_status().json()
    return Mandate(found["id"], customer_id, found["status"])
