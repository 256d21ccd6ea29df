"""Tables of customers-db."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Enum, ForeignKey, Identity, Index, Numeric, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from shopkit.database import COLUMN_TYPES


class Base(DeclarativeBase):
    """The metadata of customers-db."""

    type_annotation_map = COLUMN_TYPES


class Country(Base):
    __tablename__ = "countries"
    code: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    region: Mapped[str]


class Segment(Base):
    __tablename__ = "segments"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default="0")
    __table_args__ = (CheckConstraint("discount_percent between 0 and 50", name="segments_discount_range"),)


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str]
    full_name: Mapped[str]
    phone: Mapped[str | None]
    language: Mapped[str] = mapped_column(CHAR(2), server_default="en")
    segment: Mapped[str] = mapped_column(ForeignKey("segments.code"), server_default="standard")
    status: Mapped[str] = mapped_column(
        Enum("prospect", "active", "suspended", "closed", name="customer_status"), server_default="prospect"
    )
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    born_on: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    addresses: Mapped[list[Address]] = relationship(order_by="Address.id")
    mandates: Mapped[list[Mandate]] = relationship(order_by="Mandate.signed_on, Mandate.id")
    __table_args__ = (
        CheckConstraint("position('@' in email) > 1", name="customers_email_form"),
        Index("customers_email_key", func.lower(text("email")), unique=True),
    )


class Address(Base):
    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Enum("billing", "shipping", name="address_kind"))
    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    postal_code: Mapped[str]
    country_code: Mapped[str] = mapped_column(ForeignKey("countries.code"))
    is_default: Mapped[bool] = mapped_column(server_default=text("true"))
    __table_args__ = (
        Index("addresses_customer_id", "customer_id"),
        Index("addresses_one_default", "customer_id", "kind", unique=True, postgresql_where=text("is_default")),
    )


class Mandate(Base):
    __tablename__ = "mandates"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    scheme: Mapped[str] = mapped_column(server_default="sepa_core")
    iban: Mapped[str]
    holder: Mapped[str]
    status: Mapped[str] = mapped_column(Enum("pending", "active", "revoked", "expired", name="mandate_status"))
    signed_on: Mapped[date]
    valid_until: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("scheme in ('sepa_core', 'sepa_b2b', 'bacs')", name="mandates_scheme_known"),
        CheckConstraint("iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", name="mandates_iban_form"),
        CheckConstraint("(status = 'revoked') = (revoked_at is not null)", name="mandates_revoked_at"),
        CheckConstraint("valid_until is null or valid_until > signed_on", name="mandates_period"),
        Index("mandates_one_active", "customer_id", unique=True, postgresql_where=text("status = 'active'")),
    )


class Notification(Base):
    __tablename__ = "notifications"
    message_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    __table_args__ = (Index("notifications_customer_id", "customer_id", "created_at"),)
