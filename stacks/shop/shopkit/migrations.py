"""What the `env.py` of every service runs: the revisions, against DATABASE_URL."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData, create_engine, pool

from shopkit.database import database_url


def run(metadata: MetaData) -> None:
    """Apply the revisions that were asked for, one transaction each; with --sql, print them instead."""
    if context.is_offline_mode():
        context.configure(url=database_url(), target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    with create_engine(database_url(), poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
