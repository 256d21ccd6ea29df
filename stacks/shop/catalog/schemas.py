"""What the catalog API takes and gives. Money is a decimal in a string, never a float."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=200)]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
Quantity = Annotated[int, Field(ge=1, le=999)]


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CurrencyIn(BaseModel):
    name: Text
    minor_digits: Annotated[int, Field(ge=0, le=3)] = 2


class CategoryIn(BaseModel):
    slug: Annotated[str, Field(pattern="^[a-z0-9-]+$", max_length=100)]
    name: Text
    parent: Text | None = None


class CategoryOut(BaseModel):
    slug: str
    name: str
    parent: str | None
    products: int
    cheapest_eur: Decimal | None


class ProductIn(BaseModel):
    sku: Text
    name: Text
    category: Text
    new_category: Annotated[Text | None, Field(description="what the category is called where it is made with the product")] = None
    weight_grams: Annotated[int, Field(ge=1)]
    status: Literal["draft", "active"] = "active"
    tax_class: Literal["standard", "reduced"] = "standard"
    attributes: dict[str, Any] = {}
    prices: dict[CurrencyCode, Amount] = {}
    stock: Annotated[int, Field(ge=0)] = 0


class ProductOut(Record):
    id: UUID
    sku: str
    name: str
    category_id: int
    status: str
    tax_class: str
    weight_grams: int
    attributes: dict[str, Any]
    created_at: datetime


class PriceIn(BaseModel):
    amount: Amount


class OfferOut(BaseModel):
    """A product as an order needs it: what it is, and what it costs now in the currency asked for."""

    product_id: UUID
    sku: str
    name: str
    status: str
    tax_class: str
    weight_grams: int
    currency: str
    amount: Decimal | None


class StockIn(BaseModel):
    on_hand: Annotated[int, Field(ge=0)]


class StockOut(Record):
    product_id: UUID
    on_hand: int
    reserved: int
    available: int


class Line(Record):
    product_id: UUID
    quantity: Quantity


class ReservationIn(BaseModel):
    order_id: int
    lines: Annotated[list[Line], Field(min_length=1)]


class ReservationOut(Record):
    id: UUID
    idempotency_key: str
    order_id: int
    status: str
    lines: list[Line]
