"""What the delivery API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class Record(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SlotIn(BaseModel):
    carrier: str = "parcel"
    country_code: CountryCode
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    capacity: Annotated[int, Field(ge=1)]


class SlotOut(Record):
    id: int
    carrier: str
    country_code: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    booked: int
    free: int


class AddressIn(BaseModel):
    name: str
    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    country_code: CountryCode


class ShipmentIn(BaseModel):
    order_id: int
    customer_id: int
    address: AddressIn
    weight_grams: Annotated[int, Field(ge=1)]


class TrackingIn(BaseModel):
    status: Literal["in_transit", "delivered"]
    detail: dict[str, Any] = {}


class TrackingOut(Record):
    status: str
    occurred_at: datetime
    detail: dict[str, Any]


class ShipmentOut(Record):
    id: UUID
    idempotency_key: str
    order_id: int
    status: str
    tracking_number: str
    weight_grams: int
    address: dict[str, Any]
    slot: SlotOut
    tracking: list[TrackingOut]


class CarrierOut(Record):
    code: str
    name: str
    tracking_url: str
    max_weight_grams: int
    active: bool
