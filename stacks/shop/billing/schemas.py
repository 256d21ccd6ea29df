"""What the billing API takes and gives. Money is a decimal in a string, never a float."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$")]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Amount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AuthorisationIn(BaseModel):
    order_id: int
    customer_id: int
    amount: Amount
    currency: CurrencyCode
    method: Literal["card", "direct_debit"]
    card_token: str | None = None
    mandate_id: str | None = None
    billing_country: CountryCode
    shipping_country: CountryCode


class FraudCheckOut(Record):
    score: int
    outcome: str
    hits: list[str]


class AuthorisationOut(Record):
    id: int
    idempotency_key: str
    order_id: int
    status: str
    decline_reason: str | None
    amount: Decimal
    currency: str
    fraud: FraudCheckOut | None


class LineIn(BaseModel):
    """`gross` is the whole line, tax included."""

    product_id: UUID | None = None
    description: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1)]
    gross: Annotated[Decimal, Field(max_digits=14, decimal_places=2)]
    tax_class: Literal["standard", "reduced"] = "standard"


class CaptureIn(BaseModel):
    country: CountryCode
    lines: Annotated[list[LineIn], Field(min_length=1)]


class LineOut(Record):
    line_no: int
    product_id: UUID | None
    description: str
    quantity: int
    gross: Decimal
    tax_rate: Decimal
    net: Decimal
    tax: Decimal


class InvoiceOut(Record):
    id: int
    number: str
    order_id: int
    customer_id: int
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    exchange_rate: Decimal
    total_eur: Decimal
    status: str
    issued_on: date
    due_on: date
    lines: list[LineOut]


class RateIn(BaseModel):
    rate: Annotated[Decimal, Field(ge=0)]


class FraudRuleOut(Record):
    code: str
    kind: str
    threshold: Decimal | None
    country_code: str | None
    score: int
    enabled: bool
    description: str
