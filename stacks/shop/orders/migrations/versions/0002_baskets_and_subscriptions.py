"""Baskets, one open per customer, and subscriptions with the orders that renewed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_baskets()
    create_subscriptions()


def create_baskets() -> None:
    op.create_table(
        "baskets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("status", sa.Enum("open", "ordered", "abandoned", name="basket_status"), nullable=False),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id")),
        sa.Column("updated_at", Instant, nullable=False),
        sa.CheckConstraint("(status = 'ordered') = (order_id is not null)", name="baskets_order_id"),
    )
    op.create_index("baskets_one_open", "baskets", ["customer_id"], unique=True, postgresql_where=sa.text("status = 'open'"))
    op.create_table(
        "basket_items",
        sa.Column("basket_id", sa.Uuid, sa.ForeignKey("baskets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("product_id", sa.Uuid, primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.CheckConstraint("quantity between 1 and 999", name="basket_items_quantity_in_range"),
    )


def create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False, server_default="1"),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("interval_months", sa.Integer, nullable=False, server_default="1"),
        sa.Column("anchor_day", sa.Integer, nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "past_due", "cancelled", name="subscription_status"),
            nullable=False,
            server_default="active",
        ),
        sa.Column("next_renewal_on", sa.Date, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("interval_months between 1 and 12", name="subscriptions_interval_in_range"),
        sa.CheckConstraint("anchor_day between 1 and 31", name="subscriptions_anchor_day_in_range"),
        sa.CheckConstraint("quantity between 1 and 999", name="subscriptions_quantity_in_range"),
    )
    op.create_index("subscriptions_due", "subscriptions", ["next_renewal_on"], postgresql_where=sa.text("status = 'active'"))
    op.create_table(
        "subscription_renewals",
        sa.Column("subscription_id", sa.Integer, sa.ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("period", sa.Date, primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False, unique=True),
    )


def downgrade() -> None:
    for table in ("subscription_renewals", "subscriptions", "basket_items", "baskets"):
        op.drop_table(table)
    for enum in ("subscription_status", "basket_status"):
        op.execute(f"drop type {enum}")
