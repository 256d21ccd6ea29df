"""Tax and exchange rates of the home markets and the basic fraud rules, without which nothing can be paid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

FROM = date(2024, 1, 1)
TAX = [
    ("DE", "standard", "0.19"), ("DE", "reduced", "0.07"),
    ("FR", "standard", "0.20"), ("FR", "reduced", "0.055"),
    ("NL", "standard", "0.21"), ("NL", "reduced", "0.09"),
    ("GB", "standard", "0.20"), ("GB", "reduced", "0.05"),
    ("US", "standard", "0"), ("US", "reduced", "0"),
]  # fmt: skip
EXCHANGE = [("EUR", "1"), ("GBP", "1.16"), ("USD", "0.92")]
RULES = [
    ("large-amount", "amount_over", "2500", 50, "More than 2,500 euro"),
    ("huge-amount", "amount_over", "10000", 50, "More than 10,000 euro, on top of large-amount"),
    ("other-country", "country_mismatch", None, 35, "Billed to one country, delivered to another"),
]


def upgrade() -> None:
    tax = sa.table(
        "tax_rates",
        sa.column("country_code"),
        sa.column("tax_class"),
        sa.column("valid_from", sa.Date),
        sa.column("rate", sa.Numeric),
    )
    op.bulk_insert(tax, [{"country_code": c, "tax_class": k, "valid_from": FROM, "rate": Decimal(r)} for c, k, r in TAX])
    exchange = sa.table("exchange_rates", sa.column("currency"), sa.column("valid_from", sa.Date), sa.column("rate", sa.Numeric))
    op.bulk_insert(exchange, [{"currency": c, "valid_from": FROM, "rate": Decimal(r)} for c, r in EXCHANGE])
    for code, kind, threshold, score, description in RULES:
        op.execute(
            sa.text(
                "insert into fraud_rules (code, kind, threshold, score, description) values"
                " (:code, cast(:kind as fraud_rule_kind), cast(:threshold as numeric), :score, :description)"
            ).bindparams(code=code, kind=kind, threshold=threshold, score=score, description=description)
        )


def downgrade() -> None:
    op.execute("delete from fraud_rules where code in ('large-amount', 'huge-amount', 'other-country')")
    op.execute("delete from exchange_rates where valid_from = '2024-01-01' and currency in ('EUR', 'GBP', 'USD')")
    op.execute("delete from tax_rates where valid_from = '2024-01-01' and country_code in ('DE', 'FR', 'NL', 'GB', 'US')")
