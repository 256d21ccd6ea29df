"""Shipments: at most one of an order that is not cancelled; and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_shipments()
    op.create_table(
        "cancelled_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("cancelled_at", Instant, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", postgresql.JSONB, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("published_at", Instant),
    )
    op.create_index("outbox_waiting", "outbox", ["id"], postgresql_where=sa.text("published_at is null"))


def create_shipments() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("slot_id", sa.BigInteger, sa.ForeignKey("slots.id"), nullable=False),
        sa.Column("tracking_number", sa.Text, nullable=False, unique=True),
        sa.Column(
            "status",
            sa.Enum("scheduled", "in_transit", "delivered", "cancelled", name="shipment_status"),
            nullable=False,
        ),
        sa.Column("address", postgresql.JSONB, nullable=False),
        sa.Column("weight_grams", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.CheckConstraint("weight_grams > 0", name="shipments_weight_positive"),
        sa.CheckConstraint("address ? 'country_code'", name="shipments_address_country"),
    )
    op.create_index(
        "shipments_one_per_order",
        "shipments",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'cancelled'"),
    )


def downgrade() -> None:
    for table in ("outbox", "cancelled_keys", "shipments"):
        op.drop_table(table)
    op.execute("drop type shipment_status")
