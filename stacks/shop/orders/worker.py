"""Takes up checkouts that could not be finished at once: a service was away, or this one was restarted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sqlalchemy import select

from orders import saga
from orders.models import Order
from shopkit.database import transaction
from shopkit.service import every

FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0


@dataclass
class Backlog:
    """When each pending order is due, on the monotonic clock; the delay doubles with every look."""

    looks: dict[int, tuple[float, float]] = field(default_factory=dict)  # order -> due at, delay until then

    def due(self, pending: list[int], now: float) -> list[int]:
        """Those whose time has come. A new one is left alone at first: the request that placed it is at work."""
        self.looks = {key: self.looks.get(key, (now + FIRST_DELAY, FIRST_DELAY)) for key in pending}
        ready = [key for key in pending if self.looks[key][0] <= now]
        for key in ready:
            delay = min(2 * self.looks[key][1], LONGEST_DELAY)
            self.looks[key] = (now + delay, delay)
        return ready


def resume(backlog: Backlog) -> None:
    with transaction() as session:
        pending = list(session.scalars(select(Order.id).where(Order.status == "pending").order_by(Order.id)))
    for order_id in backlog.due(pending, time.monotonic()):
        saga.advance(order_id, wait=False)


def run() -> None:
    backlog = Backlog()
    every(0.25, lambda: resume(backlog))
