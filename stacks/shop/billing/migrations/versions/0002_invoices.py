"""Invoices in any currency, with their worth in euro, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

Money = sa.Numeric(14, 2)
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_invoices()
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", sa.Integer, sa.ForeignKey("invoices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("line_no", sa.Integer, primary_key=True),
        sa.Column("product_id", sa.Uuid),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("gross", Money, nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 4), nullable=False),
        sa.Column("net", Money, nullable=False),
        sa.Column("tax", Money, sa.Computed("gross - net", persisted=True), nullable=False),
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


def create_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "number",
            sa.Text,
            sa.Computed("'INV-' || lpad(id::text, 7, '0')", persisted=True),
            nullable=False,
            unique=True,
        ),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("authorisation_id", sa.BigInteger, sa.ForeignKey("authorisations.id"), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("net", Money, nullable=False),
        sa.Column("tax", Money, nullable=False),
        sa.Column("total", Money, sa.Computed("net + tax", persisted=True), nullable=False),
        sa.Column("exchange_rate", sa.Numeric(12, 6), nullable=False),
        sa.Column("total_eur", Money, sa.Computed("round((net + tax) * exchange_rate, 2)", persisted=True), nullable=False),
        sa.Column("status", sa.Enum("open", "paid", "void", name="invoice_status"), nullable=False),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.CheckConstraint("due_on >= issued_on", name="invoices_due_after_issue"),
    )
    op.create_index("invoices_one_per_order", "invoices", ["order_id"], unique=True, postgresql_where=sa.text("status <> 'void'"))
    op.create_index("invoices_customer_id", "invoices", ["customer_id"])


def downgrade() -> None:
    for table in ("outbox", "invoice_lines", "invoices"):
        op.drop_table(table)
    op.execute("drop type invoice_status")
