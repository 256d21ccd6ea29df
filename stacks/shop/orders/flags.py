"""Feature flags: rows that can be switched while the service runs."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from orders.models import FeatureFlag
from orders.schemas import FlagIn, FlagOut
from shopkit.database import transaction
from shopkit.problems import not_found

router = APIRouter(prefix="/flags", tags=["configuration"])


def enabled(session: Session, name: str) -> bool:
    """A flag that nobody set is off."""
    return bool(session.scalar(select(FeatureFlag.enabled).where(FeatureFlag.name == name)))


@router.get("")
def read() -> list[FlagOut]:
    with transaction() as session:
        return [FlagOut.model_validate(row) for row in session.scalars(select(FeatureFlag).order_by(FeatureFlag.name))]


@router.put("/{name}")
def switch(name: str, given: FlagIn) -> FlagOut:
    with transaction() as session:
        flag = session.get(FeatureFlag, name)
        if flag is None:
            raise not_found("flag", name)
        flag.enabled = given.enabled
        return FlagOut.model_validate(flag)
