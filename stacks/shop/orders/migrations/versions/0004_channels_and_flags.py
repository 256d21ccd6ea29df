"""The channels without which there is no order, and the flags in their first position."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CHANNELS = [("web", "Web shop"), ("phone", "Telephone"), ("subscription", "Subscription renewal")]
FLAGS = [
    ("retry_catalog", True, "Keep an order pending and retry while the catalogue does not answer"),
    ("multi_currency", False, "Accept orders in another currency than that of the customer's country"),
]


def upgrade() -> None:
    channels = sa.table("channels", sa.column("code"), sa.column("name"))
    op.bulk_insert(channels, [{"code": code, "name": name} for code, name in CHANNELS])
    flags = sa.table("feature_flags", sa.column("name"), sa.column("enabled", sa.Boolean), sa.column("description"))
    op.bulk_insert(flags, [dict(zip(("name", "enabled", "description"), row, strict=True)) for row in FLAGS])


def downgrade() -> None:
    op.execute("delete from feature_flags where name in ('retry_catalog', 'multi_currency')")
    op.execute("delete from channels where not exists (select from orders where channel = channels.code)")
