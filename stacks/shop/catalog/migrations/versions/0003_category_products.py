"""The shop window: how many active products each category has and what the cheapest costs, materialised."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create materialized view category_products as
        select c.id as category_id, c.slug, count(distinct p.id) as products, min(pr.amount) as cheapest_eur
        from categories c
        left join products p on p.category_id = c.id and p.status = 'active'
        left join prices pr on pr.product_id = p.id and pr.currency = 'EUR'
        group by c.id, c.slug
    """)
    op.execute("create unique index category_products_category_id on category_products (category_id)")


def downgrade() -> None:
    op.execute("drop materialized view category_products")
