"""The customers service: onboarding, addresses, mandates, notifications."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from customers import iban, mail
from customers.models import Address, Country, Customer, Mandate, Notification, Segment
from customers.schemas import (
    AddressIn,
    AddressOut,
    CountryOut,
    CustomerChange,
    CustomerForCheckout,
    CustomerIn,
    CustomerOut,
    MandateIn,
    MandateOut,
    NotificationOut,
    SegmentOut,
)
from shopkit import clock
from shopkit.auth import bearer
from shopkit.database import transaction
from shopkit.events import Events
from shopkit.problems import Problem, not_found
from shopkit.service import service

router = APIRouter()
events = Events(durable="notifications")


@router.get("/countries", tags=["reference"])
def countries() -> list[CountryOut]:
    with transaction() as session:
        return [CountryOut.model_validate(row) for row in session.scalars(select(Country).order_by(Country.code))]


@router.get("/segments", tags=["reference"])
def segments() -> list[SegmentOut]:
    with transaction() as session:
        return [SegmentOut.model_validate(row) for row in session.scalars(select(Segment).order_by(Segment.code))]


@router.post("/customers", status_code=201, tags=["customers"])
def create_customer(given: CustomerIn) -> CustomerOut:
    """A prospect; active as soon as `activate` finds an address to deliver to."""
    now = clock.now()
    with transaction() as session:
        if session.scalar(select(Customer.id).where(func.lower(Customer.email) == given.email.lower())):
            raise Problem(409, "email_taken", f"there is already a customer with the address {given.email}")
        customer = Customer(**given.model_dump(exclude={"addresses"}), status="prospect", created_at=now, updated_at=now)
        customer.addresses = [Address(**address.model_dump(), is_default=True) for address in given.addresses]
        session.add(customer)
        session.flush()
        session.refresh(customer)
        return CustomerOut.model_validate(customer)


@router.get("/customers", tags=["customers"])
def find_customers(email: str | None = None, limit: int = 50) -> list[CustomerOut]:
    query = select(Customer).order_by(Customer.id).limit(min(limit, 200))
    if email:
        query = query.where(func.lower(Customer.email) == email.lower())
    with transaction() as session:
        return [CustomerOut.model_validate(row) for row in session.scalars(query)]


@router.get("/customers/{customer_id}", tags=["customers"])
def read_customer(customer_id: int) -> CustomerForCheckout:
    with transaction() as session:
        customer = find(session, customer_id)
        segment = session.get_one(Segment, customer.segment)
        home = default_address(customer, "shipping")
        country = session.get(Country, home.country_code) if home else None
        known = CustomerOut.model_validate(customer).model_dump()
        return CustomerForCheckout(**known, discount_percent=segment.discount_percent, home_currency=country.currency if country else None)


@router.patch("/customers/{customer_id}", tags=["customers"])
def change_customer(customer_id: int, given: CustomerChange) -> CustomerOut:
    with transaction() as session:
        customer = find(session, customer_id)
        for name, value in given.model_dump(exclude_none=True).items():
            setattr(customer, name, value)
        customer.updated_at = clock.now()
        return CustomerOut.model_validate(customer)


@router.delete("/customers/{customer_id}", status_code=204, tags=["customers"])
def erase_customer(customer_id: int) -> None:
    """Forget a customer, with addresses, mandates and notifications."""
    with transaction() as session:
        session.execute(delete(Customer).where(Customer.id == find(session, customer_id).id))


@router.post("/customers/{customer_id}/activate", tags=["customers"])
def activate(customer_id: int) -> CustomerOut:
    with transaction() as session:
        customer = find(session, customer_id)
        if customer.status == "closed":
            raise Problem(409, "customer_closed", f"customer {customer_id} is closed")
        if default_address(customer, "shipping") is None:
            raise Problem(409, "no_address", f"customer {customer_id} has no shipping address")
        customer.status, customer.updated_at = "active", clock.now()
        return CustomerOut.model_validate(customer)


@router.post("/customers/{customer_id}/addresses", status_code=201, tags=["customers"])
def add_address(customer_id: int, given: AddressIn) -> AddressOut:
    """The new address becomes the default of its kind."""
    with transaction() as session:
        former = default_address(find(session, customer_id), given.kind)
        if former:
            former.is_default = False
            session.flush()
        address = Address(**given.model_dump(), customer_id=customer_id, is_default=True)
        session.add(address)
        session.flush()
        return AddressOut.model_validate(address)


@router.post("/customers/{customer_id}/mandates", status_code=201, tags=["mandates"])
def sign_mandate(customer_id: int, given: MandateIn) -> MandateOut:
    """A direct debit mandate, active at once; refused while another one is active."""
    number = iban.compact(given.iban)
    if not iban.is_valid(number):
        raise Problem(422, "iban_invalid", "the check digits of the IBAN are wrong")
    with transaction() as session:
        customer = find(session, customer_id, lock=True)
        if any(mandate.status == "active" for mandate in customer.mandates):
            raise Problem(409, "mandate_active", f"customer {customer_id} has an active mandate; revoke it first")
        mandate = Mandate(
            **given.model_dump(exclude={"iban"}),
            id=f"MND-{customer_id:06d}-{len(customer.mandates) + 1}",
            customer_id=customer_id,
            iban=number,
            status="active",
            signed_on=clock.today(),
        )
        session.add(mandate)
        session.flush()
        return MandateOut.model_validate(mandate)


@router.post("/customers/{customer_id}/mandates/{mandate_id}/revoke", tags=["mandates"])
def revoke_mandate(customer_id: int, mandate_id: str) -> MandateOut:
    with transaction() as session:
        mandate = session.get(Mandate, mandate_id)
        if mandate is None or mandate.customer_id != customer_id:
            raise not_found("mandate", mandate_id)
        if mandate.status == "active":
            mandate.status, mandate.revoked_at = "revoked", clock.now()
        return MandateOut.model_validate(mandate)


@router.get("/customers/{customer_id}/notifications", tags=["notifications"])
def read_notifications(customer_id: int) -> list[NotificationOut]:
    query = select(Notification).where(Notification.customer_id == customer_id)
    with transaction() as session:
        rows = session.scalars(query.order_by(Notification.created_at, Notification.message_id))
        return [NotificationOut.model_validate(row) for row in rows]


@events.on("orders.placed")
@events.on("payments.authorised")
@events.on("deliveries.scheduled")
@events.on("deliveries.in_transit")
def notify(message_id: str, subject: str, payload: dict[str, Any]) -> None:
    """Remember what to tell the customer, once per event, however often it is delivered; the weightier part of it also by mail."""
    with transaction() as session:
        customer = session.get(Customer, payload["customer_id"])
        if customer is not None and session.get(Notification, message_id) is None:
            if subject in mail.MAILED:
                mail.send(message_id, customer.email, customer.language, subject, payload)
            session.add(
                Notification(
                    message_id=message_id,
                    customer_id=payload["customer_id"],
                    subject=subject,
                    payload=payload,
                    created_at=clock.now(),
                )
            )


def find(session: Session, customer_id: int, *, lock: bool = False) -> Customer:
    customer = session.get(Customer, customer_id, with_for_update=lock)
    if customer is None:
        raise not_found("customer", customer_id)
    return customer


def default_address(customer: Customer, kind: str) -> Address | None:
    return next((address for address in customer.addresses if address.kind == kind and address.is_default), None)


app = service("customers", bearer("CUSTOMERS_TOKEN"), router, background=[events.run])
