"""Subscriptions: at each period one order, paid by direct debit."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from orders.models import Order, Subscription, SubscriptionRenewal


def following(day: date, months: int, anchor: int) -> date:
    """`months` later, on the anchor day or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(anchor, monthrange(year, month + 1)[1]))


def renewal(session: Session, subscription: Subscription, period: date) -> SubscriptionRenewal | None:
    return session.get(SubscriptionRenewal, (subscription.id, period))


def renewed(session: Session, subscription: Subscription, order: Order) -> None:
    """Note the order of this period and look ahead to the next."""
    period = subscription.next_renewal_on
    session.add(SubscriptionRenewal(subscription_id=subscription.id, period=period, order_id=order.id))
    subscription.next_renewal_on = following(period, subscription.interval_months, subscription.anchor_day)


def settled(session: Session, order: Order) -> None:
    """What the end of an order's checkout means for the subscription that it renews, if it renews one."""
    found = session.scalar(select(SubscriptionRenewal).where(SubscriptionRenewal.order_id == order.id))
    if found is None:
        return
    subscription = session.get_one(Subscription, found.subscription_id)
    if subscription.status != "cancelled":
        subscription.status = "active" if order.status == "confirmed" else "past_due"
