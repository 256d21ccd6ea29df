"""Customers, their segments and addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "countries",
        sa.Column("code", sa.CHAR(2), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("region", sa.Text, nullable=False),
    )
    op.create_table(
        "segments",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("language", sa.CHAR(2), nullable=False, server_default="en"),
        sa.Column("segment", sa.Text, sa.ForeignKey("segments.code"), nullable=False, server_default="standard"),
        sa.Column(
            "status",
            sa.Enum("prospect", "active", "suspended", "closed", name="customer_status"),
            nullable=False,
            server_default="prospect",
        ),
        sa.Column("attributes", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("born_on", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("position('@' in email) > 1", name="customers_email_form"),
    )
    op.create_index("customers_email_key", "customers", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Enum("billing", "shipping", name="address_kind"), nullable=False),
        sa.Column("line1", sa.Text, nullable=False),
        sa.Column("line2", sa.Text),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("postal_code", sa.Text, nullable=False),
        sa.Column("country_code", sa.CHAR(2), sa.ForeignKey("countries.code"), nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.create_index("addresses_customer_id", "addresses", ["customer_id"])
    op.create_index(
        "addresses_one_default",
        "addresses",
        ["customer_id", "kind"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )


def downgrade() -> None:
    for table in ("addresses", "customers", "segments", "countries"):
        op.drop_table(table)
    op.execute("drop type address_kind")
    op.execute("drop type customer_status")
