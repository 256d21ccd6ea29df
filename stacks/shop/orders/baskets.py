"""Baskets: one open per customer, until it becomes an order."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from orders import placing
from orders.models import Basket, BasketItem
from orders.schemas import BasketItemIn, BasketOut, ItemIn, OrderIn, OrderOut
from shopkit import clock
from shopkit.database import serialise, transaction
from shopkit.keys import identity
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/baskets", tags=["baskets"])


@router.get("/{customer_id}")
def read(customer_id: int) -> BasketOut:
    with transaction() as session:
        return BasketOut.model_validate(find(session, customer_id))


@router.put("/{customer_id}/items/{product_id}")
def put_item(customer_id: int, product_id: UUID, given: BasketItemIn, currency: str = "EUR") -> BasketOut:
    """Set how many of a product are in the basket; the first item opens it, in `currency`."""
    with transaction() as session:
        serialise(session, f"basket/{customer_id}")
        basket = opened(session, customer_id) or new(session, customer_id, currency)
        others = [item for item in basket.items if item.product_id != product_id]
        mine = next((item for item in basket.items if item.product_id == product_id), None)
        if given.quantity and mine:
            mine.quantity = given.quantity
        elif given.quantity:
            basket.items = [*others, BasketItem(product_id=product_id, quantity=given.quantity)]
        else:
            basket.items = others
        basket.updated_at = clock.now()
        session.flush()
        session.refresh(basket)
        return BasketOut.model_validate(basket)


@router.post("/{customer_id}/order", status_code=201)
def order(customer_id: int) -> OrderOut:
    """The basket becomes a draft order."""
    with transaction() as session:
        wanted = order_of(find(session, customer_id))
    facts = placing.gather(wanted)
    with transaction() as session:
        serialise(session, f"basket/{customer_id}")
        basket = find(session, customer_id)
        if order_of(basket) != wanted:
            raise Problem(409, "basket_changed", f"the basket of customer {customer_id} was changed meanwhile")
        made = placing.draft(session, wanted, facts)
        basket.status, basket.order_id, basket.updated_at = "ordered", made.id, clock.now()
        return OrderOut.model_validate(made)


def order_of(basket: Basket) -> OrderIn:
    if not basket.items:
        raise Problem(409, "basket_empty", f"the basket of customer {basket.customer_id} is empty")
    items = [ItemIn.model_validate(item) for item in basket.items]
    return OrderIn(customer_id=basket.customer_id, currency=basket.currency, items=items)


def find(session: Session, customer_id: int) -> Basket:
    basket = opened(session, customer_id)
    if basket is None:
        raise not_found("open basket of customer", customer_id)
    return basket


def opened(session: Session, customer_id: int) -> Basket | None:
    return session.scalar(select(Basket).where(Basket.customer_id == customer_id, Basket.status == "open"))


def new(session: Session, customer_id: int, currency: str) -> Basket:
    count = session.scalar(select(func.count()).where(Basket.customer_id == customer_id))
    basket = Basket(
        id=identity("basket", customer_id, count),
        customer_id=customer_id,
        currency=currency,
        status="open",
        updated_at=clock.now(),
    )
    session.add(basket)
    session.flush()
    return basket
