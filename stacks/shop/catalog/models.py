"""Tables of catalog-db."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Computed, Enum, ForeignKey, Identity, Numeric, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from shopkit.database import COLUMN_TYPES
from shopkit.tables import CancelledKeyColumns


class Base(DeclarativeBase):
    """The metadata of catalog-db."""

    type_annotation_map = COLUMN_TYPES


class Currency(Base):
    __tablename__ = "currencies"
    code: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    name: Mapped[str]
    minor_digits: Mapped[int] = mapped_column(SmallInteger, server_default="2")


class Category(Base):
    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    position: Mapped[int] = mapped_column(server_default="0")
    __table_args__ = (CheckConstraint("parent_id <> id", name="categories_not_own_parent"),)


class Product(Base):
    __tablename__ = "products"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    status: Mapped[str] = mapped_column(Enum("draft", "active", "retired", name="product_status"), server_default="draft")
    tax_class: Mapped[str] = mapped_column(server_default="standard")
    weight_grams: Mapped[int]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
    created_at: Mapped[datetime]
    prices: Mapped[list[Price]] = relationship(order_by="Price.currency, Price.valid_from")
    __table_args__ = (CheckConstraint("weight_grams > 0", name="products_weight_positive"),)


class Price(Base):
    """What a product costs in a currency from a moment on, until a later row takes over."""

    __tablename__ = "prices"
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str] = mapped_column(ForeignKey("currencies.code"), primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    __table_args__ = (CheckConstraint("amount >= 0", name="prices_amount_not_negative"),)


class StockLevel(Base):
    __tablename__ = "stock_levels"
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    available: Mapped[int] = mapped_column(Computed("on_hand - reserved", persisted=True))
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="stock_levels_on_hand_not_negative"),
        CheckConstraint("reserved between 0 and on_hand", name="stock_levels_reserved_in_range"),
    )


class Reservation(Base):
    __tablename__ = "reservations"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Enum("held", "committed", "released", name="reservation_status"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    lines: Mapped[list[ReservationLine]] = relationship(order_by="ReservationLine.product_id")


class ReservationLine(Base):
    __tablename__ = "reservation_lines"
    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("stock_levels.product_id"), primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (CheckConstraint("quantity > 0", name="reservation_lines_quantity_positive"),)


class CancelledKey(CancelledKeyColumns, Base):
    """Reservations that were released before they arrived."""
