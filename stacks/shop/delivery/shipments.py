"""Shipments: schedule into the next free slot, follow, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from delivery.models import CancelledKey, Carrier, Outbox, Shipment, Slot, TrackingEvent
from delivery.schemas import ShipmentIn, ShipmentOut, TrackingIn
from shopkit import clock
from shopkit.database import serialise, transaction
from shopkit.events import enqueue, forget
from shopkit.keys import IdempotencyKey, cancel_key, forget_keys, identity, open_key
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/shipments", tags=["shipments"])
FOLLOWS = {"scheduled": "in_transit", "in_transit": "delivered"}


@router.post("", status_code=201)
def schedule(given: ShipmentIn, idempotency_key: IdempotencyKey) -> ShipmentOut:
    """Book the next free slot in the country of the address. 409 `no_slot` if there is none."""
    with transaction() as session:
        open_key(session, CancelledKey, idempotency_key)
        known = by_key(session, idempotency_key)
        if known is None:
            slot = next_slot(session, given.address.country_code, given.weight_grams)
            slot.booked += 1
            known = new_shipment(session, given, idempotency_key, slot)
            tell(session, known)
        session.flush()
        session.refresh(known.slot)
        return ShipmentOut.model_validate(known)


@router.post("/{key}/cancel")
def cancel(key: str) -> dict[str, str]:
    """Undo, whatever had happened: nothing yet, or scheduled. What is on its way cannot be called back (409)."""
    with transaction() as session:
        cancel_key(session, CancelledKey, key)
        shipment = by_key(session, key)
        if shipment is not None and shipment.status != "cancelled":
            if shipment.status != "scheduled":
                raise Problem(409, "on_its_way", f"the shipment {key} is {shipment.status}")
            serialise(session, f"slots/{shipment.slot.country_code}")
            session.refresh(shipment.slot)
            shipment.slot.booked -= 1
            track(session, shipment, "cancelled", {})
    return {"status": "cancelled"}


@router.post("/{shipment_id}/tracking")
def add_tracking(shipment_id: UUID, given: TrackingIn) -> ShipmentOut:
    """What the carrier reports: in_transit, then delivered. A report that was made before changes nothing."""
    with transaction() as session:
        shipment = session.get(Shipment, shipment_id, with_for_update=True)
        if shipment is None:
            raise not_found("shipment", shipment_id)
        if shipment.status != given.status:
            if FOLLOWS.get(shipment.status) != given.status:
                raise Problem(409, "out_of_order", f"{given.status} does not follow {shipment.status}")
            track(session, shipment, given.status, given.detail)
            session.flush()
            session.refresh(shipment)
        return ShipmentOut.model_validate(shipment)


@router.delete("", status_code=204)
def erase(order_id: int) -> None:
    """Forget all shipments of an order; their places are free again. Safe to repeat."""
    with transaction() as session:
        for shipment in session.scalars(select(Shipment).where(Shipment.order_id == order_id)):
            if shipment.status != "cancelled":
                serialise(session, f"slots/{shipment.slot.country_code}")
                session.refresh(shipment.slot)
                shipment.slot.booked -= 1
        session.flush()
        session.execute(delete(Shipment).where(Shipment.order_id == order_id))
        forget_keys(session, CancelledKey, order_id)
        forget(session, Outbox, order_id)


@router.get("")
def find(order_id: int) -> list[ShipmentOut]:
    query = select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.created_at, Shipment.id)
    with transaction() as session:
        return [ShipmentOut.model_validate(row) for row in session.scalars(query)]


@router.get("/{shipment_id}")
def read(shipment_id: UUID) -> ShipmentOut:
    with transaction() as session:
        shipment = session.get(Shipment, shipment_id)
        if shipment is None:
            raise not_found("shipment", shipment_id)
        return ShipmentOut.model_validate(shipment)


def next_slot(session: Session, country: str, weight: int) -> Slot:
    """The earliest slot with a free place, of an active carrier that can carry the weight; one booking at a time."""
    serialise(session, f"slots/{country}")
    can_carry = (Carrier.active, Carrier.max_weight_grams >= weight)
    open_slot = (Slot.country_code == country, Slot.booked < Slot.capacity, Slot.starts_at > clock.now())
    query = select(Slot).join(Carrier).where(*open_slot, *can_carry).order_by(Slot.starts_at, Slot.id)
    slot = session.scalar(query.limit(1))
    if slot is None:
        raise Problem(409, "no_slot", f"there is no free delivery slot in {country} for {weight} g")
    return slot


def new_shipment(session: Session, given: ShipmentIn, key: str, slot: Slot) -> Shipment:
    now, shipment_id = clock.now(), identity("shipment", key)
    shipment = Shipment(
        id=shipment_id,
        idempotency_key=key,
        order_id=given.order_id,
        customer_id=given.customer_id,
        slot=slot,
        tracking_number=f"SHP{shipment_id.int % 10**12:012d}",
        status="scheduled",
        address=given.address.model_dump(exclude_none=True),
        weight_grams=given.weight_grams,
        created_at=now,
        updated_at=now,
    )
    shipment.tracking = [TrackingEvent(status="scheduled", occurred_at=now, detail={"slot": slot.id})]
    session.add(shipment)
    return shipment


def track(session: Session, shipment: Shipment, status: str, detail: dict[str, Any]) -> None:
    now = clock.now()
    shipment.status, shipment.updated_at = status, now
    session.add(TrackingEvent(shipment_id=shipment.id, status=status, occurred_at=now, detail=detail))
    tell(session, shipment)


def tell(session: Session, shipment: Shipment) -> None:
    subject = f"deliveries.{shipment.status}"
    payload = {
        "order_id": shipment.order_id,
        "customer_id": shipment.customer_id,
        "shipment_id": str(shipment.id),
        "tracking_number": shipment.tracking_number,
    }
    enqueue(session, Outbox, f"{subject}:{shipment.idempotency_key}", subject, payload)


def by_key(session: Session, key: str) -> Shipment | None:
    return session.scalar(select(Shipment).where(Shipment.idempotency_key == key))
