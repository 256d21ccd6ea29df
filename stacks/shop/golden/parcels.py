"""The delivery side of the orders: slots behind and ahead, shipments, and what happened to them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from golden.files import ago
from golden.orders import Attempt, Order, tour
from golden.people import CURRENCY
from shopkit.keys import identity

if TYPE_CHECKING:
    from golden.checkout import World

AHEAD = [-24 * day for day in range(1, 15)]
BEHIND = [24 * day for day in range(117, 0, -4)]


def add_parcels(world: World) -> None:
    shipped = [(order, order.paid) for order in world.orders if order.paid]
    booked = Counter((order.buyer.country, tour(order.age)) for order, _ in shipped)
    slots = add_slots(world, booked)
    for order, attempt in shipped:
        add_shipment(world, order, attempt, slots[order.buyer.country, tour(order.age)])
    add_tracking(world, shipped)


def add_slots(world: World, booked: Counter[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """A tour through each market each fourth day until now, and one on each of the coming fourteen."""
    slots = {}
    for country in CURRENCY:
        for start in [*BEHIND, *AHEAD]:
            slots[country, start] = len(slots) + 1
            row = {"id": len(slots), "carrier": "parcel", "country_code": country}
            period = {"starts_at": ago(start), "ends_at": ago(start - 8)}
            world.data.add("delivery-db/slots", **row, **period, capacity=200, booked=booked[country, start])
    return slots


def add_shipment(world: World, order: Order, attempt: Attempt, slot: int) -> None:
    key = order.key(attempt, "schedule")
    shipment = identity("shipment", key)
    world.data.add(
        "delivery-db/shipments",
        id=shipment,
        idempotency_key=key,
        order_id=order.id,
        customer_id=order.buyer.id,
        slot_id=slot,
        tracking_number=f"SHP{shipment.int % 10**12:012d}",
        status=journey(order)[-1][0],
        address=order.buyer.ship_to,
        weight_grams=order.weight,
        created_at=ago(order.age),
        updated_at=ago(journey(order)[-1][1]),
    )


def journey(order: Order) -> list[tuple[str, int]]:
    """What happened to the parcel, and when."""
    left = tour(order.age)
    steps = [("scheduled", order.age)]
    if left > 0:
        steps.append(("in_transit", left))
    if order.status == "fulfilled":
        steps.append(("delivered", left - 6))
    return steps


def add_tracking(world: World, shipped: list[tuple[Order, Attempt]]) -> None:
    """In the order in which things happened, as the carrier's reports came in."""
    reports = [(when, order, attempt, status) for order, attempt in shipped for status, when in journey(order)]
    for key, (when, order, attempt, status) in enumerate(sorted(reports, key=lambda report: -report[0]), 1):
        shipment = identity("shipment", order.key(attempt, "schedule"))
        detail = {"depot": order.buyer.place["city"]} if status != "scheduled" else {}
        row = {"id": key, "shipment_id": shipment, "status": status, "occurred_at": ago(when), "detail": detail}
        world.data.add("delivery-db/tracking_events", **row)
        payload = {
            "order_id": order.id,
            "customer_id": order.buyer.id,
            "shipment_id": str(shipment),
            "tracking_number": f"SHP{shipment.int % 10**12:012d}",
        }
        world.tell(when, "delivery-db", f"deliveries.{status}", order.key(attempt, "schedule"), payload)
