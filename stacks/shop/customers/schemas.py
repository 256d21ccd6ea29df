"""What the customers API takes and gives."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AddressIn(BaseModel):
    kind: Literal["billing", "shipping"] = "shipping"
    line1: Text
    line2: Text | None = None
    city: Text
    postal_code: Text
    country_code: Country


class AddressOut(Record, AddressIn):
    id: int
    is_default: bool


class MandateIn(BaseModel):
    iban: Text
    holder: Text
    scheme: Literal["sepa_core", "sepa_b2b", "bacs"] = "sepa_core"
    valid_until: date | None = None


class MandateOut(Record):
    id: str
    scheme: str
    iban: str
    holder: str
    status: str
    signed_on: date
    valid_until: date | None


class CustomerIn(BaseModel):
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=200)]
    full_name: Text
    phone: Text | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"
    segment: Text = "standard"
    born_on: date | None = None
    attributes: dict[str, Any] = {}
    addresses: list[AddressIn] = []


class CustomerChange(BaseModel):
    full_name: Text | None = None
    phone: Text | None = None
    segment: Text | None = None
    status: Literal["suspended", "closed"] | None = None


class SegmentOut(Record):
    code: str
    name: str
    discount_percent: Decimal


class CustomerOut(Record):
    id: int
    email: str
    full_name: str
    phone: str | None
    language: str
    segment: str
    status: str
    attributes: dict[str, Any]
    created_at: datetime
    addresses: list[AddressOut]
    mandates: list[MandateOut]


class CustomerForCheckout(CustomerOut):
    """With what a checkout needs to know of the customer's surroundings."""

    discount_percent: Decimal
    home_currency: str | None


class NotificationOut(Record):
    message_id: str
    subject: str
    payload: dict[str, Any]
    created_at: datetime


class CountryOut(Record):
    code: str
    name: str
    currency: str
    region: str
