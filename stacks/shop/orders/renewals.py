"""The API of subscriptions and their renewal."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from orders import checkout, placing, saga, subscriptions
from orders.models import Order, Subscription, SubscriptionRenewal
from orders.schemas import CheckoutIn, ItemIn, OrderIn, OrderOut, RenewalOut, SubscriptionIn, SubscriptionOut
from shopkit import clock
from shopkit.database import transaction
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])


@router.post("", status_code=201)
def subscribe(given: SubscriptionIn) -> SubscriptionOut:
    """Checks customer and product as an order would; the first order is made on `first_renewal_on`."""
    wanted = order_of(given)
    placing.gather(wanted)
    with transaction() as session:
        subscription = Subscription(
            **given.model_dump(exclude={"first_renewal_on"}),
            anchor_day=given.first_renewal_on.day,
            status="active",
            next_renewal_on=given.first_renewal_on,
            created_at=clock.now(),
        )
        session.add(subscription)
        session.flush()
        return SubscriptionOut.model_validate(subscription)


@router.get("/{subscription_id}")
def read(subscription_id: int) -> SubscriptionOut:
    with transaction() as session:
        return SubscriptionOut.model_validate(find(session, subscription_id))


@router.post("/{subscription_id}/cancel")
def cancel(subscription_id: int) -> SubscriptionOut:
    with transaction() as session:
        subscription = find(session, subscription_id)
        subscription.status = "cancelled"
        return SubscriptionOut.model_validate(subscription)


@router.post("/{subscription_id}/renew")
def renew(subscription_id: int) -> RenewalOut:
    """Order and pay the period that is due. When none is due, the answer is the last renewal, unchanged."""
    period, order_id = order_period(subscription_id)
    if checkout.read(order_id).status == "draft":
        mandate = checkout.active_mandate(order_id)
        checkout.place(order_id, CheckoutIn(method="direct_debit"), mandate, None)
    saga.advance(order_id, wait=True)
    with transaction() as session:
        return RenewalOut(
            subscription=SubscriptionOut.model_validate(find(session, subscription_id)),
            period=period,
            order=OrderOut.model_validate(session.get_one(Order, order_id)),
        )


@router.post("/renew-due")
def renew_due(limit: int = 20) -> list[RenewalOut]:
    """Renew all active subscriptions that are due today or before, the longest due first."""
    are_due = (Subscription.status == "active", Subscription.next_renewal_on <= clock.today())
    query = select(Subscription.id).where(*are_due).order_by(Subscription.next_renewal_on, Subscription.id)
    with transaction() as session:
        keys = list(session.scalars(query.limit(min(limit, 100))))
    return [renew(key) for key in keys]


def order_period(subscription_id: int) -> tuple[date, int]:
    """The period to renew and its order; made now if it is due and nobody did."""
    with transaction() as session:
        subscription = find(session, subscription_id)
        if not due(subscription):
            return last_renewal(session, subscription)
        wanted, period = order_of(subscription), subscription.next_renewal_on
    facts = placing.gather(wanted)
    with transaction() as session:
        subscription = find(session, subscription_id, lock=True)
        if not due(subscription) or subscription.next_renewal_on != period:  # another request was quicker
            return last_renewal(session, subscription)
        order = placing.draft(session, wanted, facts)
        order.details = order.details | {"subscription_id": subscription.id, "period": period.isoformat()}
        subscriptions.renewed(session, subscription, order)
        return period, order.id


def due(subscription: Subscription) -> bool:
    return subscription.status != "cancelled" and subscription.next_renewal_on <= clock.today()


def last_renewal(session: Session, subscription: Subscription) -> tuple[date, int]:
    mine = SubscriptionRenewal.subscription_id == subscription.id
    last = session.scalar(select(SubscriptionRenewal).where(mine).order_by(SubscriptionRenewal.period.desc()).limit(1))
    if last is None:
        raise Problem(409, "not_due", f"subscription {subscription.id} is {subscription.status} and not due")
    return last.period, last.order_id


def order_of(subscribed: Subscription | SubscriptionIn) -> OrderIn:
    return OrderIn(
        customer_id=subscribed.customer_id,
        currency=subscribed.currency,
        channel="subscription",
        items=[ItemIn(product_id=subscribed.product_id, quantity=subscribed.quantity)],
    )


def find(session: Session, subscription_id: int, *, lock: bool = False) -> Subscription:
    subscription = session.get(Subscription, subscription_id, with_for_update=lock)
    if subscription is None:
        raise not_found("subscription", subscription_id)
    return subscription
