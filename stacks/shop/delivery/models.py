"""Tables of delivery-db."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Computed,
    Enum,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from shopkit.database import COLUMN_TYPES
from shopkit.tables import CancelledKeyColumns, OutboxColumns


class Base(DeclarativeBase):
    """The metadata of delivery-db."""

    type_annotation_map = COLUMN_TYPES


class Carrier(Base):
    __tablename__ = "carriers"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tracking_url: Mapped[str]
    max_weight_grams: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Slot(Base):
    """A carrier's tour through a country; an order takes one place of it."""

    __tablename__ = "slots"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    carrier: Mapped[str] = mapped_column(ForeignKey("carriers.code"))
    country_code: Mapped[str] = mapped_column(CHAR(2))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    booked: Mapped[int] = mapped_column(server_default="0")
    free: Mapped[int] = mapped_column(Computed("capacity - booked", persisted=True))
    __table_args__ = (
        UniqueConstraint("carrier", "country_code", "starts_at"),
        CheckConstraint("ends_at > starts_at", name="slots_period"),
        CheckConstraint("booked between 0 and capacity", name="slots_booked_in_range"),
        Index("slots_free", "country_code", "starts_at", postgresql_where=text("booked < capacity")),
    )


class Shipment(Base):
    __tablename__ = "shipments"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"))
    tracking_number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(Enum("scheduled", "in_transit", "delivered", "cancelled", name="shipment_status"))
    address: Mapped[dict[str, Any]]
    weight_grams: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    slot: Mapped[Slot] = relationship()
    tracking: Mapped[list[TrackingEvent]] = relationship(order_by="TrackingEvent.id")
    __table_args__ = (
        CheckConstraint("weight_grams > 0", name="shipments_weight_positive"),
        CheckConstraint("address ? 'country_code'", name="shipments_address_country"),
        Index("shipments_one_per_order", "order_id", unique=True, postgresql_where=text("status <> 'cancelled'")),
    )


class TrackingEvent(Base):
    """The key is always the database's own: rows are written in the order in which things happened."""

    __tablename__ = "tracking_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id", ondelete="CASCADE"))
    status: Mapped[str]
    occurred_at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (Index("tracking_events_shipment_id", "shipment_id"),)


class CancelledKey(CancelledKeyColumns, Base):
    """Shipments that were cancelled before they arrived."""


class Outbox(OutboxColumns, Base):
    """Events of delivery-db that wait to be published."""
