"""Currencies, the tree of categories, and products."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "currencies",
        sa.Column("code", sa.CHAR(3), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("minor_digits", sa.SmallInteger, nullable=False, server_default="2"),
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("categories.id")),
        sa.Column("slug", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("parent_id <> id", name="categories_not_own_parent"),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("sku", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category_id", sa.Integer, sa.ForeignKey("categories.id"), nullable=False),
        sa.Column(
            "status",
            sa.Enum("draft", "active", "retired", name="product_status"),
            nullable=False,
            server_default="draft",
        ),
        sa.Column("tax_class", sa.Text, nullable=False, server_default="standard"),
        sa.Column("weight_grams", sa.Integer, nullable=False),
        sa.Column("attributes", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("weight_grams > 0", name="products_weight_positive"),
    )


def downgrade() -> None:
    for table in ("products", "categories", "currencies"):
        op.drop_table(table)
    op.execute("drop type product_status")
