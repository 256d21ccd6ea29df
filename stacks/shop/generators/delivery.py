"""What the delivery team offers to scenarios."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from seeder import Context, TryAgain, generator

OWNER, CONTACT = "delivery-team", "delivery-team@example.com"


@dataclass
class Slot:
    id: int
    country: str
    capacity: int


@dataclass
class Shipment:
    id: str
    order_id: int
    status: str
    tracking_number: str


def shipment(given: dict[str, Any]) -> Shipment:
    return Shipment(given["id"], given["order_id"], given["status"], given["tracking_number"])


@generator("delivery.open_slot", version="1", owner=OWNER, contact=CONTACT, key="slot")
def open_slot(
    ctx: Context, *, country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "DE", capacity: Annotated[int, Field(ge=1)] = 1000
) -> Slot:
    """A time tomorrow in which parcels are delivered in the country; one that is open already gets the capacity."""
    begins = (ctx.as_of + datetime.timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    body = {"country_code": country, "capacity": capacity, "starts_at": begins.isoformat()}
    found = ctx.http("delivery").post("/slots", json=body | {"ends_at": (begins + datetime.timedelta(hours=4)).isoformat()})
    return Slot(found.raise_for_status().json()["id"], country, capacity)


@generator("delivery.shipment_of", version="1", owner=OWNER, contact=CONTACT, key="shipment", undo="nothing")
def shipment_of(ctx: Context, *, order_id: int) -> Shipment:
    """The shipment of an order, as soon as there is one."""
    found = ctx.http("delivery").get("/shipments", params={"order_id": order_id}).raise_for_status().json()
    if not found:
        raise TryAgain(f"order {order_id} has no shipment yet", after="100ms")
    return shipment(found[-1])


@generator("delivery.report", version="1", owner=OWNER, contact=CONTACT, key="tracking", undo="nothing")
def report(ctx: Context, *, shipment_id: str, status: Literal["in_transit", "delivered"]) -> Shipment:
    """What the carrier reports of a shipment."""
    found = ctx.http("delivery").post(f"/shipments/{shipment_id}/tracking", json={"status": status})
    return shipment(found.raise_for_status().json())
