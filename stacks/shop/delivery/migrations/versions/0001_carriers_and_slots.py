"""Carriers and the slots in which they deliver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "carriers",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tracking_url", sa.Text, nullable=False),
        sa.Column("max_weight_grams", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.create_table(
        "slots",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("carrier", sa.Text, sa.ForeignKey("carriers.code"), nullable=False),
        sa.Column("country_code", sa.CHAR(2), nullable=False),
        sa.Column("starts_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("booked", sa.Integer, nullable=False, server_default="0"),
        sa.Column("free", sa.Integer, sa.Computed("capacity - booked", persisted=True), nullable=False),
        sa.UniqueConstraint("carrier", "country_code", "starts_at"),
        sa.CheckConstraint("ends_at > starts_at", name="slots_period"),
        sa.CheckConstraint("booked between 0 and capacity", name="slots_booked_in_range"),
    )
    op.create_index("slots_free", "slots", ["country_code", "starts_at"], postgresql_where=sa.text("booked < capacity"))


def downgrade() -> None:
    op.drop_table("slots")
    op.drop_table("carriers")
