"""Fraud rules, and what they said about each authorisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "fraud_rules",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column(
            "kind",
            sa.Enum("amount_over", "country_mismatch", "velocity", "blocked_country", name="fraud_rule_kind"),
            nullable=False,
        ),
        sa.Column("threshold", sa.Numeric(14, 2)),
        sa.Column("country_code", sa.CHAR(2)),
        sa.Column("score", sa.SmallInteger, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("description", sa.Text, nullable=False),
        sa.CheckConstraint("score between 1 and 100", name="fraud_rules_score_in_range"),
        sa.CheckConstraint("(kind in ('amount_over', 'velocity')) = (threshold is not null)", name="fraud_rules_threshold"),
        sa.CheckConstraint("(kind = 'blocked_country') = (country_code is not null)", name="fraud_rules_country"),
    )
    op.create_table(
        "fraud_checks",
        sa.Column(
            "authorisation_id",
            sa.BigInteger,
            sa.ForeignKey("authorisations.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("score", sa.SmallInteger, nullable=False),
        sa.Column("outcome", sa.Enum("accepted", "review", "rejected", name="fraud_outcome"), nullable=False),
        sa.Column("hits", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score between 0 and 100", name="fraud_checks_score_in_range"),
    )


def downgrade() -> None:
    op.drop_table("fraud_checks")
    op.drop_table("fraud_rules")
    op.execute("drop type fraud_outcome")
    op.execute("drop type fraud_rule_kind")
