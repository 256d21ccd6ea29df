"""Stock that is held for an order: reserve, then commit (it leaves the house) or release (it stays)."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.models import CancelledKey, Reservation, ReservationLine, StockLevel
from catalog.schemas import Line, ReservationIn, ReservationOut
from shopkit import clock
from shopkit.database import serialise, transaction
from shopkit.keys import IdempotencyKey, cancel_key, forget_keys, identity, open_key
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/reservations", tags=["reservations"])


@router.post("", status_code=201)
def reserve(given: ReservationIn, idempotency_key: IdempotencyKey) -> ReservationOut:
    """Hold the stock of all lines or of none. 409 `out_of_stock` names what is missing."""
    with transaction() as session:
        open_key(session, CancelledKey, idempotency_key)
        known = by_key(session, idempotency_key)
        if known is None:
            hold(session, given.lines)
            known = new_reservation(given, idempotency_key)
            session.add(known)
            session.flush()
        return ReservationOut.model_validate(known)


@router.post("/{key}/commit")
def commit(key: str) -> ReservationOut:
    with transaction() as session:
        serialise(session, key)
        reservation = by_key(session, key)
        if reservation is None:
            raise not_found("reservation", key)
        if reservation.status == "released":
            raise Problem(409, "released", f"the reservation {key} was released")
        if reservation.status == "held":
            for line, level in levels(session, reservation):
                level.on_hand, level.reserved = level.on_hand - line.quantity, level.reserved - line.quantity
            settle(reservation, "committed")
        return ReservationOut.model_validate(reservation)


@router.post("/{key}/release")
def release(key: str) -> dict[str, str]:
    """Undo, whatever had happened: nothing yet, held, or committed. Safe to repeat."""
    with transaction() as session:
        cancel_key(session, CancelledKey, key)
        reservation = by_key(session, key)
        if reservation is not None and reservation.status != "released":
            give_back(session, reservation)
            settle(reservation, "released")
    return {"status": "released"}


@router.delete("", status_code=204)
def erase(order_id: int) -> None:
    """Forget all reservations of an order; what they held goes back. Safe to repeat."""
    with transaction() as session:
        for reservation in session.scalars(select(Reservation).where(Reservation.order_id == order_id).with_for_update()):
            if reservation.status != "released":
                give_back(session, reservation)
        session.flush()
        session.execute(delete(Reservation).where(Reservation.order_id == order_id))
        forget_keys(session, CancelledKey, order_id)


@router.get("")
def find(order_id: int) -> list[ReservationOut]:
    query = select(Reservation).where(Reservation.order_id == order_id).order_by(Reservation.idempotency_key)
    with transaction() as session:
        return [ReservationOut.model_validate(row) for row in session.scalars(query)]


def by_key(session: Session, key: str) -> Reservation | None:
    return session.scalar(select(Reservation).where(Reservation.idempotency_key == key))


def new_reservation(given: ReservationIn, key: str) -> Reservation:
    now = clock.now()
    reservation = Reservation(
        id=identity("reservation", key),
        idempotency_key=key,
        order_id=given.order_id,
        status="held",
        created_at=now,
        updated_at=now,
    )
    reservation.lines = [ReservationLine(product_id=p, quantity=q) for p, q in per_product(given.lines).items()]
    return reservation


def give_back(session: Session, reservation: Reservation) -> None:
    for line, level in levels(session, reservation):
        if reservation.status == "held":
            level.reserved -= line.quantity
        else:
            level.on_hand += line.quantity


def hold(session: Session, lines: list[Line]) -> None:
    wanted = per_product(lines)
    stock = locked(session, list(wanted))
    short = [str(product) for product, count in wanted.items() if product not in stock or stock[product].available < count]
    if short:
        raise Problem(409, "out_of_stock", "not enough stock", products=short)
    for product, count in wanted.items():
        stock[product].reserved += count


def levels(session: Session, reservation: Reservation) -> list[tuple[ReservationLine, StockLevel]]:
    stock = locked(session, [line.product_id for line in reservation.lines])
    return [(line, stock[line.product_id]) for line in reservation.lines]


def locked(session: Session, products: list[UUID]) -> dict[UUID, StockLevel]:
    """Stock rows, locked in the order of their keys so that two orders never wait for each other."""
    query = select(StockLevel).where(StockLevel.product_id.in_(products)).order_by(StockLevel.product_id).with_for_update()
    return {level.product_id: level for level in session.scalars(query)}


def per_product(lines: list[Line]) -> dict[UUID, int]:
    counts: Counter[UUID] = Counter()
    for line in lines:
        counts[line.product_id] += line.quantity
    return dict(sorted(counts.items()))


def settle(reservation: Reservation, status: str) -> None:
    reservation.status, reservation.updated_at = status, clock.now()
