"""Segments get a discount; the segments and home markets without which nobody can sign up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SEGMENTS = [("standard", "Standard", "0"), ("plus", "Plus", "5"), ("business", "Business", "8")]
COUNTRIES = [
    ("DE", "Germany", "EUR", "EU"),
    ("FR", "France", "EUR", "EU"),
    ("NL", "Netherlands", "EUR", "EU"),
    ("GB", "United Kingdom", "GBP", "UK"),
    ("US", "United States", "USD", "NA"),
]


def upgrade() -> None:
    op.add_column("segments", sa.Column("discount_percent", sa.Numeric(5, 2), nullable=False, server_default="0"))
    op.create_check_constraint("segments_discount_range", "segments", "discount_percent between 0 and 50")
    segments = sa.table("segments", sa.column("code"), sa.column("name"), sa.column("discount_percent", sa.Numeric))
    op.bulk_insert(segments, [dict(zip(("code", "name", "discount_percent"), row, strict=True)) for row in SEGMENTS])
    countries = sa.table("countries", sa.column("code"), sa.column("name"), sa.column("currency"), sa.column("region"))
    op.bulk_insert(countries, [dict(zip(("code", "name", "currency", "region"), row, strict=True)) for row in COUNTRIES])


def downgrade() -> None:
    op.execute("delete from countries where not exists (select from addresses where country_code = countries.code)")
    op.execute("delete from segments where not exists (select from customers where segment = segments.code)")
    op.drop_column("segments", "discount_percent")
