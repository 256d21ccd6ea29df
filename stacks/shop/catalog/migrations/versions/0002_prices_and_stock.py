"""Prices over time and currency, stock, and reservations of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "prices",
        sa.Column("product_id", sa.Uuid, sa.ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("currency", sa.CHAR(3), sa.ForeignKey("currencies.code"), primary_key=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.CheckConstraint("amount >= 0", name="prices_amount_not_negative"),
    )
    op.create_table(
        "stock_levels",
        sa.Column("product_id", sa.Uuid, sa.ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("on_hand", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reserved", sa.Integer, nullable=False, server_default="0"),
        sa.Column("available", sa.Integer, sa.Computed("on_hand - reserved", persisted=True), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name="stock_levels_on_hand_not_negative"),
        sa.CheckConstraint("reserved between 0 and on_hand", name="stock_levels_reserved_in_range"),
    )
    create_reservations()


def create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Enum("held", "committed", "released", name="reservation_status"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "reservation_lines",
        sa.Column("reservation_id", sa.Uuid, sa.ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("product_id", sa.Uuid, sa.ForeignKey("stock_levels.product_id"), primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.CheckConstraint("quantity > 0", name="reservation_lines_quantity_positive"),
    )
    op.create_table(
        "cancelled_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in ("cancelled_keys", "reservation_lines", "reservations", "stock_levels", "prices"):
        op.drop_table(table)
    op.execute("drop type reservation_status")
