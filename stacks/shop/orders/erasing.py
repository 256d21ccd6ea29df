"""Forget what was ordered, everywhere: for whoever asks to be forgotten, and for tests in a shop that others use, too."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import delete

from orders import checkout, renewals, steps
from orders.models import Order, Outbox, Subscription, SubscriptionRenewal
from shopkit.database import transaction
from shopkit.events import forget
from shopkit.http import Refused, Unavailable
from shopkit.problems import Problem, unavailable

router = APIRouter(tags=["erasure"])


@router.delete("/orders/{order_id}", status_code=204)
def erase_order(order_id: int) -> None:
    """409 while its checkout is under way. The others forget it first: whoever asks again finds the rest."""
    with transaction() as session:
        status = checkout.find(session, order_id).status
    if status == "pending":
        raise Problem(409, "order_pending", f"order {order_id} is being checked out")
    elsewhere(order_id)
    with transaction() as session:
        session.execute(delete(SubscriptionRenewal).where(SubscriptionRenewal.order_id == order_id))
        session.execute(delete(Order).where(Order.id == checkout.find(session, order_id).id))
        forget(session, Outbox, order_id)


@router.delete("/subscriptions/{subscription_id}", status_code=204)
def erase_subscription(subscription_id: int) -> None:
    """With the list of its renewals; their orders stay."""
    with transaction() as session:
        session.execute(delete(Subscription).where(Subscription.id == renewals.find(session, subscription_id).id))


def elsewhere(order_id: int) -> None:
    """What the steps of its checkout left with the other services."""
    places = ((steps.delivery, "/shipments"), (steps.billing, "/authorisations"), (steps.catalog, "/reservations"))
    for service, path in places:
        try:
            service().delete(path, order_id=order_id)
        except Refused as error:
            raise Problem(409, "not_erasable", error.detail) from error
        except Unavailable as error:
            raise unavailable("another service") from error
