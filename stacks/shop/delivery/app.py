"""The delivery service: carriers, slots, shipments."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select

from delivery import shipments
from delivery.models import Carrier, Outbox, Slot
from delivery.schemas import CarrierOut, SlotIn, SlotOut
from shopkit import clock
from shopkit.auth import api_key
from shopkit.database import transaction
from shopkit.events import Events
from shopkit.problems import not_found
from shopkit.service import service

router = APIRouter()
router.include_router(shipments.router)
events = Events(Outbox)


@router.get("/carriers", tags=["slots"])
def carriers() -> list[CarrierOut]:
    with transaction() as session:
        return [CarrierOut.model_validate(row) for row in session.scalars(select(Carrier).order_by(Carrier.code))]


@router.post("/slots", status_code=201, tags=["slots"])
def create_slot(given: SlotIn) -> SlotOut:
    """Open a slot; a slot that is open already gets the given capacity and end."""
    with transaction() as session:
        if session.get(Carrier, given.carrier) is None:
            raise not_found("carrier", given.carrier)
        same = given.model_dump(include={"carrier", "country_code", "starts_at"})
        slot = session.scalar(select(Slot).filter_by(**same).with_for_update())
        if slot is None:
            slot = Slot(**same, booked=0)
            session.add(slot)
        slot.ends_at, slot.capacity = given.ends_at, given.capacity
        session.flush()
        session.refresh(slot)
        return SlotOut.model_validate(slot)


@router.get("/slots", tags=["slots"])
def find_slots(country_code: str, limit: int = 20) -> list[SlotOut]:
    """Slots to come that still have a free place, the earliest first."""
    coming = (Slot.country_code == country_code, Slot.booked < Slot.capacity, Slot.starts_at > clock.now())
    query = select(Slot).where(*coming).order_by(Slot.starts_at, Slot.id).limit(min(limit, 100))
    with transaction() as session:
        return [SlotOut.model_validate(row) for row in session.scalars(query)]


app = service("delivery", api_key("DELIVERY_API_KEY"), router, background=[events.run])
