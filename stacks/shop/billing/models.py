"""Tables of billing-db."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from shopkit.database import COLUMN_TYPES
from shopkit.tables import CancelledKeyColumns, OutboxColumns

Money = Numeric(14, 2)
Rate = Numeric(12, 6)


class Base(DeclarativeBase):
    """The metadata of billing-db."""

    type_annotation_map = COLUMN_TYPES


class TaxRate(Base):
    """The rate of a tax class in a country from a day on; `0.1900` is 19%."""

    __tablename__ = "tax_rates"
    country_code: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    tax_class: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    __table_args__ = (CheckConstraint("rate >= 0 and rate < 1", name="tax_rates_rate_in_range"),)


class ExchangeRate(Base):
    """Euro for one unit of the currency, from a day on."""

    __tablename__ = "exchange_rates"
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Rate)
    __table_args__ = (CheckConstraint("rate > 0", name="exchange_rates_rate_positive"),)


class Authorisation(Base):
    __tablename__ = "authorisations"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(Enum("card", "direct_debit", name="payment_method"))
    mandate_id: Mapped[str | None]
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[str] = mapped_column(Enum("authorised", "declined", "captured", "voided", name="authorisation_status"))
    decline_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("amount > 0", name="authorisations_amount_positive"),
        CheckConstraint("(status = 'declined') = (decline_reason is not null)", name="authorisations_decline_reason"),
        CheckConstraint("(method = 'direct_debit') = (mandate_id is not null)", name="authorisations_mandate"),
        Index("authorisations_order_id", "order_id"),
        Index("authorisations_customer_id", "customer_id", "created_at"),
    )


class FraudRule(Base):
    """`threshold` is euro for amount_over, a count for velocity; the score of every rule that hits is added up."""

    __tablename__ = "fraud_rules"
    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Enum("amount_over", "country_mismatch", "velocity", "blocked_country", name="fraud_rule_kind"))
    threshold: Mapped[Decimal | None] = mapped_column(Money)
    country_code: Mapped[str | None] = mapped_column(CHAR(2))
    score: Mapped[int] = mapped_column(SmallInteger)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    description: Mapped[str]
    __table_args__ = (
        CheckConstraint("score between 1 and 100", name="fraud_rules_score_in_range"),
        CheckConstraint("(kind in ('amount_over', 'velocity')) = (threshold is not null)", name="fraud_rules_threshold"),
        CheckConstraint("(kind = 'blocked_country') = (country_code is not null)", name="fraud_rules_country"),
    )


class FraudCheck(Base):
    __tablename__ = "fraud_checks"
    authorisation_id: Mapped[int] = mapped_column(ForeignKey("authorisations.id", ondelete="CASCADE"), primary_key=True)
    score: Mapped[int] = mapped_column(SmallInteger)
    outcome: Mapped[str] = mapped_column(Enum("accepted", "review", "rejected", name="fraud_outcome"))
    hits: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("score between 0 and 100", name="fraud_checks_score_in_range"),)


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Computed("'INV-' || lpad(id::text, 7, '0')", persisted=True), unique=True)
    order_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    authorisation_id: Mapped[int] = mapped_column(ForeignKey("authorisations.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    net: Mapped[Decimal] = mapped_column(Money)
    tax: Mapped[Decimal] = mapped_column(Money)
    total: Mapped[Decimal] = mapped_column(Money, Computed("net + tax", persisted=True))
    exchange_rate: Mapped[Decimal] = mapped_column(Rate)
    total_eur: Mapped[Decimal] = mapped_column(Money, Computed("round((net + tax) * exchange_rate, 2)", persisted=True))
    status: Mapped[str] = mapped_column(Enum("open", "paid", "void", name="invoice_status"))
    issued_on: Mapped[date]
    due_on: Mapped[date]
    lines: Mapped[list[InvoiceLine]] = relationship(order_by="InvoiceLine.line_no")
    __table_args__ = (
        CheckConstraint("due_on >= issued_on", name="invoices_due_after_issue"),
        Index("invoices_one_per_order", "order_id", unique=True, postgresql_where=text("status <> 'void'")),
        Index("invoices_customer_id", "customer_id"),
    )


class InvoiceLine(Base):
    """Prices include tax: `gross` is what the customer pays, `net` and `tax` what it is made of."""

    __tablename__ = "invoice_lines"
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[UUID | None]
    description: Mapped[str]
    quantity: Mapped[int]
    gross: Mapped[Decimal] = mapped_column(Money)
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    net: Mapped[Decimal] = mapped_column(Money)
    tax: Mapped[Decimal] = mapped_column(Money, Computed("gross - net", persisted=True))


class CancelledKey(CancelledKeyColumns, Base):
    """Authorisations that were voided before they arrived."""


class Outbox(OutboxColumns, Base):
    """Events of billing-db that wait to be published."""
