"""The carriers without which nothing is delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CARRIERS = [
    ("parcel", "Example Parcel", "https://parcel.example.com/track/{number}", 31_500),
    ("freight", "Example Freight", "https://freight.example.com/track/{number}", 500_000),
]


def upgrade() -> None:
    carriers = sa.table(
        "carriers",
        sa.column("code"),
        sa.column("name"),
        sa.column("tracking_url"),
        sa.column("max_weight_grams", sa.Integer),
    )
    op.bulk_insert(
        carriers,
        [dict(zip(("code", "name", "tracking_url", "max_weight_grams"), row, strict=True)) for row in CARRIERS],
    )


def downgrade() -> None:
    op.execute("delete from carriers where not exists (select from slots where carrier = carriers.code)")
