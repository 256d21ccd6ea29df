"""Payments: authorise, then capture (which issues the invoice) or void."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from fastapi import APIRouter
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from billing import fraud, invoices, provider
from billing.models import Authorisation, CancelledKey, FraudCheck, FraudRule, Invoice, Outbox
from billing.schemas import AuthorisationIn, AuthorisationOut, CaptureIn, FraudCheckOut, InvoiceOut
from shopkit import clock, http
from shopkit.database import serialise, transaction
from shopkit.events import enqueue, forget
from shopkit.keys import IdempotencyKey, cancel_key, forget_keys, open_key
from shopkit.problems import Problem, not_found, unavailable

router = APIRouter(prefix="/authorisations", tags=["payments"])
customers = cache(http.customers)


@router.post("", status_code=201)
def authorise(given: AuthorisationIn, idempotency_key: IdempotencyKey) -> AuthorisationOut:
    """Ask whether the customer can pay. The answer is `authorised` or `declined` with a reason; both are final."""
    refusal = payment_refusal(given, idempotency_key)
    with transaction() as session:
        open_key(session, CancelledKey, idempotency_key)
        known = by_key(session, idempotency_key)
        if known is None:
            known = decide(session, given, idempotency_key, refusal)
        answered = answer(session, known)
    if answered.decline_reason == "fraud_suspected":
        provider.give_back(idempotency_key, taken=False)
    return answered


@router.post("/{key}/capture")
def capture(key: str, given: CaptureIn) -> InvoiceOut:
    """Take the money and issue the invoice, once. The lines must add up to what was authorised."""
    if status_of(key) == "authorised":
        provider.capture(key)
    with transaction() as session:
        serialise(session, key)
        authorisation = by_key(session, key)
        if authorisation is None:
            raise not_found("authorisation", key)
        if authorisation.status not in ("authorised", "captured"):
            raise Problem(409, "not_authorised", f"the payment {key} is {authorisation.status}")
        if authorisation.status == "authorised":
            invoices.issue(session, authorisation, given)
            settle(session, authorisation, "captured")
        return InvoiceOut.model_validate(invoices.of_order(session, authorisation.order_id))


@router.post("/{key}/void")
def void(key: str) -> dict[str, str]:
    """Undo, whatever had happened: nothing yet, authorised, or captured and invoiced. Safe to repeat."""
    with transaction() as session:
        cancel_key(session, CancelledKey, key)
    status = status_of(key)
    if status in (None, "authorised", "captured"):  # none of ours: the provider may have heard of it all the same
        provider.give_back(key, taken=status == "captured")
    with transaction() as session:
        serialise(session, key)
        authorisation = by_key(session, key)
        if authorisation is not None and authorisation.status in ("authorised", "captured"):
            invoices.void(session, authorisation)
            settle(session, authorisation, "voided")
    return {"status": "voided"}


@router.delete("", status_code=204)
def erase(order_id: int) -> None:
    """Forget all payments of an order, with their invoices. Safe to repeat."""
    with transaction() as session:
        session.execute(delete(Invoice).where(Invoice.order_id == order_id))
        session.execute(delete(Authorisation).where(Authorisation.order_id == order_id))
        forget_keys(session, CancelledKey, order_id)
        forget(session, Outbox, order_id)


@router.get("")
def find(order_id: int) -> list[AuthorisationOut]:
    query = select(Authorisation).where(Authorisation.order_id == order_id).order_by(Authorisation.id)
    with transaction() as session:
        return [answer(session, row) for row in session.scalars(query)]


def status_of(key: str) -> str | None:
    with transaction() as session:
        return session.scalar(select(Authorisation.status).where(Authorisation.idempotency_key == key))


def payment_refusal(given: AuthorisationIn, key: str) -> str | None:
    """Why the means of payment is no good, before any look at the risk; None once the provider has set the money aside."""
    if given.method == "card":
        return provider.authorise(given, key) if given.card_token else "card_declined"
    if given.mandate_id is None:
        raise Problem(422, "mandate_missing", "a direct debit names its mandate")
    try:
        customer = customers().get(f"/customers/{given.customer_id}")
    except http.Unavailable as error:
        raise unavailable("the customers service") from error
    except http.Refused:
        return "mandate_invalid"
    today = clock.today().isoformat()
    valid = (m for m in customer["mandates"] if m["status"] == "active" and (m["valid_until"] or today) >= today)
    return provider.authorise(given, key) if any(mandate["id"] == given.mandate_id for mandate in valid) else "mandate_invalid"


def decide(session: Session, given: AuthorisationIn, key: str, refusal: str | None) -> Authorisation:
    verdict = judge(session, given)
    reason = refusal or ("fraud_suspected" if verdict.outcome == "rejected" else None)
    now = clock.now()
    authorisation = Authorisation(
        **given.model_dump(include={"order_id", "customer_id", "amount", "currency", "method"}),
        mandate_id=given.mandate_id if given.method == "direct_debit" else None,
        idempotency_key=key,
        status="declined" if reason else "authorised",
        decline_reason=reason,
        created_at=now,
        updated_at=now,
    )
    session.add(authorisation)
    session.flush()
    session.add(
        FraudCheck(
            authorisation_id=authorisation.id,
            score=verdict.score,
            outcome=verdict.outcome,
            hits=list(verdict.hits),
            created_at=now,
        )
    )
    tell(session, authorisation)
    return authorisation


def judge(session: Session, given: AuthorisationIn) -> fraud.Verdict:
    """Same customer, same time: one after the other, so that the velocity rule counts right."""
    serialise(session, f"customer/{given.customer_id}")
    since = clock.now() - timedelta(hours=24)
    mine = Authorisation.customer_id == given.customer_id
    recent = session.scalar(select(func.count()).where(mine, Authorisation.created_at > since)) or 0
    payment = fraud.Payment(
        amount_eur=given.amount * invoices.exchange_rate(session, given.currency),
        billing_country=given.billing_country,
        shipping_country=given.shipping_country,
        recent=recent,
    )
    return fraud.judge(payment, session.scalars(select(FraudRule)))


def settle(session: Session, authorisation: Authorisation, status: str) -> None:
    authorisation.status, authorisation.updated_at = status, clock.now()
    tell(session, authorisation)


def tell(session: Session, authorisation: Authorisation) -> None:
    subject = f"payments.{authorisation.status}"
    payload: dict[str, Any] = {
        "order_id": authorisation.order_id,
        "customer_id": authorisation.customer_id,
        "authorisation_id": authorisation.id,
        "amount": str(authorisation.amount),
        "currency": authorisation.currency,
    }
    if authorisation.decline_reason:
        payload["reason"] = authorisation.decline_reason
    enqueue(session, Outbox, f"{subject}:{authorisation.idempotency_key}", subject, payload)


def by_key(session: Session, key: str) -> Authorisation | None:
    return session.scalar(select(Authorisation).where(Authorisation.idempotency_key == key))


def answer(session: Session, authorisation: Authorisation) -> AuthorisationOut:
    check = session.get(FraudCheck, authorisation.id)
    shared = ("id", "idempotency_key", "order_id", "status", "decline_reason", "amount", "currency")
    fraud_check = FraudCheckOut.model_validate(check) if check else None
    return AuthorisationOut(**{name: getattr(authorisation, name) for name in shared}, fraud=fraud_check)
