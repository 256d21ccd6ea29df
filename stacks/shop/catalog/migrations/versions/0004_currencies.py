"""The currencies without which nothing has a price."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CURRENCIES = [("EUR", "Euro"), ("GBP", "Pound sterling"), ("USD", "US dollar")]


def upgrade() -> None:
    currencies = sa.table("currencies", sa.column("code"), sa.column("name"))
    op.bulk_insert(currencies, [{"code": code, "name": name} for code, name in CURRENCIES])


def downgrade() -> None:
    op.execute("delete from currencies where not exists (select from prices where currency = currencies.code)")
