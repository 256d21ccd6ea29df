"""One engine per process, short transactions, and what all models have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import URL, DateTime, Engine, Text, create_engine, func, make_url, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shopkit.settings import setting

# What a Python type is in a table, unless the column says otherwise.
COLUMN_TYPES = {str: Text, datetime: DateTime(timezone=True), dict[str, Any]: JSONB}


def database_url() -> URL:
    """DATABASE_URL, always through psycopg 3."""
    return make_url(setting("DATABASE_URL")).set(drivername="postgresql+psycopg")


@cache
def engine() -> Engine:
    """Connections are made when first used, so a service may start before its database."""
    return create_engine(
        database_url(),
        pool_size=4,
        max_overflow=8,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=5s"},
    )


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end and rolls back on an error; rows stay readable after the commit."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


def serialise(session: Session, key: str) -> None:
    """Let only one transaction at a time work under `key`; the others wait until it ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
