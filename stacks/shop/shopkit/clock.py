"""The shop's clock. Every instant that the services write comes from here, never from a database default."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime


def now() -> datetime:
    """The time of day in UTC; SEEDER_AS_OF when it is set, and then time stands still.

    A standing clock makes what a service writes a pure function of what it was asked, so that two
    loads of the same requests leave the same rows. Waiting and backoff use the monotonic clock.
    """
    as_of = os.environ.get("SEEDER_AS_OF")
    if not as_of:
        return datetime.now(UTC)
    instant = datetime.fromisoformat(as_of)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def today() -> date:
    return now().date()
