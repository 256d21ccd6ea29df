"""What a checkout needs to survive a crash: its steps, idempotency keys, and an outbox; feature flags and pricing rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "saga_steps",
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempt_no", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "done", "refused", "compensated", name="step_status"),
            nullable=False,
            server_default="waiting",
        ),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("detail", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("updated_at", Instant, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_digest", sa.Text, nullable=False),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
    )
    create_outbox()
    create_configuration()


def create_outbox() -> None:
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


def create_configuration() -> None:
    op.create_table(
        "feature_flags",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
    )
    op.create_table(
        "pricing_rules",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("segment", sa.Text),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("minimum", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.CheckConstraint("percent > 0 and percent <= 50", name="pricing_rules_percent_in_range"),
    )


def downgrade() -> None:
    for table in ("pricing_rules", "feature_flags", "outbox", "idempotency_keys", "saga_steps"):
        op.drop_table(table)
    op.execute("drop type step_status")
