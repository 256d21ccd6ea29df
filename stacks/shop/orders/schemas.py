"""What the orders API takes and gives. Money is a decimal in a string, never a float."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Quantity = Annotated[int, Field(ge=1, le=999)]


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ItemIn(Record):
    product_id: UUID
    quantity: Quantity = 1


class OrderIn(BaseModel):
    customer_id: int
    currency: CurrencyCode = "EUR"
    channel: str = "web"
    items: Annotated[list[ItemIn], Field(min_length=1)]
    note: Annotated[str, Field(max_length=500)] | None = None


class ItemOut(Record):
    line_no: int
    product_id: UUID
    sku: str
    quantity: int
    unit_price: Decimal
    line_total: Decimal


class AttemptOut(Record):
    id: int
    attempt_no: int
    method: str
    status: str
    authorisation_id: int | None
    amount: Decimal
    currency: str


class OrderOut(Record):
    id: int
    number: str
    customer_id: int
    channel: str
    status: str
    currency: str
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    total: Decimal
    rejection: str | None
    metadata: dict[str, Any] = Field(validation_alias="details")
    current_attempt_id: int | None
    created_at: datetime
    placed_at: datetime | None
    items: list[ItemOut]
    attempts: list[AttemptOut]


class CheckoutIn(BaseModel):
    """How to pay. A direct debit without a mandate uses the customer's active one."""

    method: Literal["card", "direct_debit"] = "card"
    card_token: Annotated[str, Field(pattern="^tok_[a-z0-9_]+$")] | None = None
    mandate_id: str | None = None

    @model_validator(mode="after")
    def fits(self) -> Self:
        if (self.method == "card") != (self.card_token is not None):
            raise ValueError("a card payment needs a card_token, a direct debit has none")
        if self.method == "card" and self.mandate_id:
            raise ValueError("a card payment has no mandate")
        return self


class StepOut(Record):
    attempt_no: int
    position: int
    step: str
    status: str
    tries: int
    detail: dict[str, Any]


class BasketOut(Record):
    id: UUID
    customer_id: int
    currency: str
    status: str
    order_id: int | None
    updated_at: datetime
    items: list[ItemIn]


class BasketItemIn(BaseModel):
    """Quantity 0 takes the product out."""

    quantity: Annotated[int, Field(ge=0, le=999)]


class SubscriptionIn(BaseModel):
    customer_id: int
    product_id: UUID
    quantity: Quantity = 1
    currency: CurrencyCode = "EUR"
    interval_months: Annotated[int, Field(ge=1, le=12)] = 1
    first_renewal_on: date


class SubscriptionOut(Record):
    id: int
    customer_id: int
    product_id: UUID
    quantity: int
    currency: str
    interval_months: int
    status: str
    next_renewal_on: date


class RenewalOut(BaseModel):
    subscription: SubscriptionOut
    period: date
    order: OrderOut


class FlagIn(BaseModel):
    enabled: bool


class FlagOut(Record):
    name: str
    enabled: bool
    description: str
