"""Tables of orders-db."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from shopkit.database import COLUMN_TYPES
from shopkit.tables import OutboxColumns

Money = Numeric(12, 2)
ORDER_STATUSES = ("draft", "pending", "confirmed", "rejected", "cancelled", "fulfilled")


class Base(DeclarativeBase):
    """The metadata of orders-db."""

    type_annotation_map = COLUMN_TYPES


class Channel(Base):
    __tablename__ = "channels"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    """`current_attempt_id` and `PaymentAttempt.order_id` point at each other; the first is checked at commit."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(Computed("'SO-' || lpad(id::text, 8, '0')", persisted=True))
    customer_id: Mapped[int] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(ForeignKey("channels.code"), server_default="web")
    status: Mapped[str] = mapped_column(Enum(*ORDER_STATUSES, name="order_status"), server_default="draft")
    currency: Mapped[str] = mapped_column(CHAR(3))
    subtotal: Mapped[Decimal] = mapped_column(Money)
    discount: Mapped[Decimal] = mapped_column(Money, server_default="0")
    shipping: Mapped[Decimal] = mapped_column(Money, server_default="0")
    total: Mapped[Decimal] = mapped_column(Money)
    rejection: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    current_attempt_id: Mapped[int | None] = mapped_column(
        ForeignKey(
            "payment_attempts.id",
            name="orders_current_attempt_id_fkey",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        )
    )
    created_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    items: Mapped[list[OrderItem]] = relationship(order_by="OrderItem.line_no")
    attempts: Mapped[list[PaymentAttempt]] = relationship(foreign_keys="PaymentAttempt.order_id", order_by="PaymentAttempt.attempt_no")
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("total = subtotal - discount + shipping", name="orders_total_adds_up"),
        CheckConstraint("discount between 0 and subtotal", name="orders_discount_in_range"),
        CheckConstraint("status in ('draft', 'cancelled') or placed_at is not null", name="orders_placed_at"),
        Index("orders_customer_id", "customer_id"),
        Index("orders_pending", "id", postgresql_where=text("status = 'pending'")),
    )


class OrderItem(Base):
    __tablename__ = "order_items"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[UUID]
    sku: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Money)
    line_total: Mapped[Decimal] = mapped_column(Money, Computed("quantity * unit_price", persisted=True))
    __table_args__ = (
        CheckConstraint("quantity between 1 and 999", name="order_items_quantity_in_range"),
        CheckConstraint("unit_price >= 0", name="order_items_unit_price_not_negative"),
    )


class PaymentAttempt(Base):
    __tablename__ = "payment_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    attempt_no: Mapped[int]
    method: Mapped[str] = mapped_column(Enum("card", "direct_debit", name="payment_method"))
    card_token: Mapped[str | None]
    mandate_id: Mapped[str | None]
    authorisation_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(
        Enum("started", "authorised", "declined", "voided", name="attempt_status"), server_default="started"
    )
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(CHAR(3))
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("order_id", "attempt_no"),
        CheckConstraint("(method = 'card') = (card_token is not null)", name="payment_attempts_card_token"),
        CheckConstraint("(method = 'direct_debit') = (mandate_id is not null)", name="payment_attempts_mandate"),
    )


class SagaStep(Base):
    """One step of one checkout attempt; `detail` is what the called service answered."""

    __tablename__ = "saga_steps"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    attempt_no: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str]
    status: Mapped[str] = mapped_column(Enum("waiting", "done", "refused", "compensated", name="step_status"), server_default="waiting")
    tries: Mapped[int] = mapped_column(server_default="0")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    updated_at: Mapped[datetime]


class Basket(Base):
    __tablename__ = "baskets"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[str] = mapped_column(Enum("open", "ordered", "abandoned", name="basket_status"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    updated_at: Mapped[datetime]
    items: Mapped[list[BasketItem]] = relationship(order_by="BasketItem.product_id", cascade="all, delete-orphan")
    __table_args__ = (
        CheckConstraint("(status = 'ordered') = (order_id is not null)", name="baskets_order_id"),
        Index("baskets_one_open", "customer_id", unique=True, postgresql_where=text("status = 'open'")),
    )


class BasketItem(Base):
    __tablename__ = "basket_items"
    basket_id: Mapped[UUID] = mapped_column(ForeignKey("baskets.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (CheckConstraint("quantity between 1 and 999", name="basket_items_quantity_in_range"),)


class Subscription(Base):
    __tablename__ = "subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[UUID]
    quantity: Mapped[int] = mapped_column(server_default="1")
    currency: Mapped[str] = mapped_column(CHAR(3))
    interval_months: Mapped[int] = mapped_column(server_default="1")
    anchor_day: Mapped[int]
    status: Mapped[str] = mapped_column(Enum("active", "past_due", "cancelled", name="subscription_status"), server_default="active")
    next_renewal_on: Mapped[date]
    created_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("interval_months between 1 and 12", name="subscriptions_interval_in_range"),
        CheckConstraint("anchor_day between 1 and 31", name="subscriptions_anchor_day_in_range"),
        CheckConstraint("quantity between 1 and 999", name="subscriptions_quantity_in_range"),
        Index("subscriptions_due", "next_renewal_on", postgresql_where=text("status = 'active'")),
    )


class SubscriptionRenewal(Base):
    """Which order renewed a subscription for which period: one order each, whatever is asked how often."""

    __tablename__ = "subscription_renewals"
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)


class IdempotencyKey(Base):
    """The answer that a client got for a key, given again when it asks again."""

    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]


class FeatureFlag(Base):
    __tablename__ = "feature_flags"
    name: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    description: Mapped[str]


class PricingRule(Base):
    """A percentage off for orders from `minimum` on; a rule without a segment is for everybody."""

    __tablename__ = "pricing_rules"
    code: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[str | None]
    currency: Mapped[str] = mapped_column(CHAR(3))
    minimum: Mapped[Decimal] = mapped_column(Money, server_default="0")
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    __table_args__ = (CheckConstraint("percent > 0 and percent <= 50", name="pricing_rules_percent_in_range"),)


class Outbox(OutboxColumns, Base):
    """Events of orders-db that wait to be published."""
