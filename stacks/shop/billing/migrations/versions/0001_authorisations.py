"""Authorisations of payments, and the rates of tax and exchange."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Money = sa.Numeric(14, 2)
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tax_rates",
        sa.Column("country_code", sa.CHAR(2), primary_key=True),
        sa.Column("tax_class", sa.Text, primary_key=True),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("rate", sa.Numeric(5, 4), nullable=False),
        sa.CheckConstraint("rate >= 0 and rate < 1", name="tax_rates_rate_in_range"),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("currency", sa.CHAR(3), primary_key=True),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("rate", sa.Numeric(12, 6), nullable=False),
        sa.CheckConstraint("rate > 0", name="exchange_rates_rate_positive"),
    )
    create_authorisations()
    op.create_table(
        "cancelled_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("cancelled_at", Instant, nullable=False),
    )


def create_authorisations() -> None:
    op.create_table(
        "authorisations",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("method", sa.Enum("card", "direct_debit", name="payment_method"), nullable=False),
        sa.Column("mandate_id", sa.Text),
        sa.Column("amount", Money, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column(
            "status",
            sa.Enum("authorised", "declined", "captured", "voided", name="authorisation_status"),
            nullable=False,
        ),
        sa.Column("decline_reason", sa.Text),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.CheckConstraint("amount > 0", name="authorisations_amount_positive"),
        sa.CheckConstraint("(status = 'declined') = (decline_reason is not null)", name="authorisations_decline_reason"),
        sa.CheckConstraint("(method = 'direct_debit') = (mandate_id is not null)", name="authorisations_mandate"),
    )
    op.create_index("authorisations_order_id", "authorisations", ["order_id"])
    op.create_index("authorisations_customer_id", "authorisations", ["customer_id", "created_at"])


def downgrade() -> None:
    for table in ("cancelled_keys", "authorisations", "exchange_rates", "tax_rates"):
        op.drop_table(table)
    for enum in ("authorisation_status", "payment_method"):
        op.execute(f"drop type {enum}")
