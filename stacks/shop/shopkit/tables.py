"""Tables that several services have, each in its own database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class OutboxColumns:
    """Events that wait to be published, written in the transaction of what they tell about.

    `message_id` names the event once and for all: the broker drops a second message with the same one.
    """

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index]:  # noqa: N805 - SQLAlchemy calls it with the class
        return (Index("outbox_waiting", "id", postgresql_where=text("published_at is null")),)


class CancelledKeyColumns:
    """Idempotency keys that were undone: a request that arrives after its own compensation is refused."""

    __tablename__ = "cancelled_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    cancelled_at: Mapped[datetime]
