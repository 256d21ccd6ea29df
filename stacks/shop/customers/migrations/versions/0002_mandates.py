"""Direct debit mandates: one active mandate per customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "mandates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("scheme", sa.Text, nullable=False, server_default="sepa_core"),
        sa.Column("iban", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("status", sa.Enum("pending", "active", "revoked", "expired", name="mandate_status"), nullable=False),
        sa.Column("signed_on", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("scheme in ('sepa_core', 'sepa_b2b', 'bacs')", name="mandates_scheme_known"),
        sa.CheckConstraint("iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", name="mandates_iban_form"),
        sa.CheckConstraint("(status = 'revoked') = (revoked_at is not null)", name="mandates_revoked_at"),
        sa.CheckConstraint("valid_until is null or valid_until > signed_on", name="mandates_period"),
    )
    op.create_index(
        "mandates_one_active",
        "mandates",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )


def downgrade() -> None:
    op.drop_table("mandates")
    op.execute("drop type mandate_status")
