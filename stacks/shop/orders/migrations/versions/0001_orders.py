"""Orders, their items, and the attempts to pay them: an order points at its current attempt, each attempt at its order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

Money = sa.Numeric(12, 2)
Instant = sa.DateTime(timezone=True)
ORDER_STATUS = sa.Enum("draft", "pending", "confirmed", "rejected", "cancelled", "fulfilled", name="order_status")


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    create_orders()
    create_items()
    create_attempts()
    op.create_foreign_key(
        "orders_current_attempt_id_fkey",
        "orders",
        "payment_attempts",
        ["current_attempt_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )


def create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "number",
            sa.Text,
            sa.Computed("'SO-' || lpad(id::text, 8, '0')", persisted=True),
            nullable=False,
            unique=True,
        ),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, sa.ForeignKey("channels.code"), nullable=False, server_default="web"),
        sa.Column("status", ORDER_STATUS, nullable=False, server_default="draft"),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("subtotal", Money, nullable=False),
        sa.Column("discount", Money, nullable=False, server_default="0"),
        sa.Column("shipping", Money, nullable=False, server_default="0"),
        sa.Column("total", Money, nullable=False),
        sa.Column("rejection", sa.Text),
        sa.Column("metadata", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("current_attempt_id", sa.BigInteger),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("placed_at", Instant),
        sa.CheckConstraint("total = subtotal - discount + shipping", name="orders_total_adds_up"),
        sa.CheckConstraint("discount between 0 and subtotal", name="orders_discount_in_range"),
        sa.CheckConstraint("status in ('draft', 'cancelled') or placed_at is not null", name="orders_placed_at"),
    )
    op.create_index("orders_customer_id", "orders", ["customer_id"])
    op.create_index("orders_pending", "orders", ["id"], postgresql_where=sa.text("status = 'pending'"))


def create_items() -> None:
    op.create_table(
        "order_items",
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("line_no", sa.Integer, primary_key=True),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("unit_price", Money, nullable=False),
        sa.Column("line_total", Money, sa.Computed("quantity * unit_price", persisted=True), nullable=False),
        sa.CheckConstraint("quantity between 1 and 999", name="order_items_quantity_in_range"),
        sa.CheckConstraint("unit_price >= 0", name="order_items_unit_price_not_negative"),
    )


def create_attempts() -> None:
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("attempt_no", sa.Integer, nullable=False),
        sa.Column("method", sa.Enum("card", "direct_debit", name="payment_method"), nullable=False),
        sa.Column("card_token", sa.Text),
        sa.Column("mandate_id", sa.Text),
        sa.Column("authorisation_id", sa.BigInteger),
        sa.Column(
            "status",
            sa.Enum("started", "authorised", "declined", "voided", name="attempt_status"),
            nullable=False,
            server_default="started",
        ),
        sa.Column("amount", Money, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.UniqueConstraint("order_id", "attempt_no"),
        sa.CheckConstraint("(method = 'card') = (card_token is not null)", name="payment_attempts_card_token"),
        sa.CheckConstraint("(method = 'direct_debit') = (mandate_id is not null)", name="payment_attempts_mandate"),
    )


def downgrade() -> None:
    op.drop_constraint("orders_current_attempt_id_fkey", "orders")
    for table in ("payment_attempts", "order_items", "orders", "channels"):
        op.drop_table(table)
    for enum in ("attempt_status", "payment_method", "order_status"):
        op.execute(f"drop type {enum}")
