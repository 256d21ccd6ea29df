"""The catalog service: categories, products, prices, stock."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog import prices, reservations
from catalog.models import Category, Currency, Price, Product, StockLevel
from catalog.schemas import (
    CategoryIn,
    CategoryOut,
    CurrencyIn,
    OfferOut,
    PriceIn,
    ProductIn,
    ProductOut,
    StockIn,
    StockOut,
)
from shopkit import clock
from shopkit.auth import api_key
from shopkit.database import transaction
from shopkit.keys import identity
from shopkit.problems import not_found
from shopkit.service import service

router = APIRouter()
router.include_router(reservations.router)

WINDOW = text("""
    select c.slug, c.name, p.slug as parent, coalesce(w.products, 0) as products, w.cheapest_eur
    from categories c left join categories p on p.id = c.parent_id left join category_products w on w.category_id = c.id
    order by c.position, c.slug
""")


@router.put("/currencies/{code}", tags=["reference"])
def put_currency(code: str, given: CurrencyIn) -> CurrencyIn:
    with transaction() as session:
        session.merge(Currency(code=code, **given.model_dump()))
        return given


@router.get("/categories", tags=["products"])
def categories() -> list[CategoryOut]:
    """All categories with the number of active products and the lowest price, as of the last refresh."""
    with transaction() as session:
        return [CategoryOut(**row) for row in session.execute(WINDOW).mappings()]


@router.post("/categories", status_code=201, tags=["products"])
def create_category(given: CategoryIn) -> CategoryIn:
    with transaction() as session:
        parent = category(session, given.parent).id if given.parent else None
        session.add(Category(slug=given.slug, name=given.name, parent_id=parent, position=0))
        return given


@router.post("/categories/refresh", tags=["products"])
def refresh_categories() -> list[CategoryOut]:
    with transaction() as session:
        session.execute(text("refresh materialized view category_products"))
    return categories()


@router.post("/products", status_code=201, tags=["products"])
def create_product(given: ProductIn) -> ProductOut:
    """A product with its prices from now on and its stock."""
    now, key = clock.now(), identity("product", given.sku)
    with transaction() as session:
        if given.new_category:  # in one transaction: nobody finds the one without the other
            made = insert(Category).values(slug=given.category, name=given.new_category, position=0)
            session.execute(made.on_conflict_do_nothing(index_elements=[Category.slug]))
        known = given.model_dump(exclude={"category", "new_category", "prices", "stock"})
        product = Product(id=key, category_id=category(session, given.category).id, created_at=now, **known)
        product.prices = [Price(currency=c, valid_from=now, amount=a) for c, a in sorted(given.prices.items())]
        session.add(product)
        session.flush()
        session.add(StockLevel(product_id=key, on_hand=given.stock, reserved=0))
        return ProductOut.model_validate(product)


@router.get("/products", tags=["products"])
def find_products(sku: str | None = None, category: str | None = None, limit: int = 50) -> list[ProductOut]:
    query = select(Product).order_by(Product.sku).limit(min(limit, 500))
    if sku:
        query = query.where(Product.sku == sku)
    if category:
        query = query.join(Category).where(Category.slug == category)
    with transaction() as session:
        return [ProductOut.model_validate(row) for row in session.scalars(query)]


@router.get("/products/{product_id}", tags=["products"])
def read_product(product_id: UUID) -> ProductOut:
    with transaction() as session:
        return ProductOut.model_validate(find(session, product_id))


@router.delete("/products/{product_id}", status_code=204, tags=["products"])
def erase_product(product_id: UUID) -> None:
    """Forget a product that nobody reserved, with its prices and its stock."""
    with transaction() as session:
        currencies = [price.currency for price in find(session, product_id).prices]
        session.execute(delete(Product).where(Product.id == product_id))
    for currency in set(currencies):
        prices.forget(product_id, currency)


@router.delete("/categories/{slug}", status_code=204, tags=["products"])
def erase_category(slug: str) -> None:
    """409 while there are products in it."""
    with transaction() as session:
        session.execute(delete(Category).where(Category.id == category(session, slug).id))


@router.get("/offers", tags=["products"])
def offers(currency: str, product: Annotated[list[UUID], Query(max_length=100)]) -> list[OfferOut]:
    """Products with their present price in `currency`; unknown products are left out."""
    with transaction() as session:
        rows = session.scalars(select(Product).where(Product.id.in_(product)).order_by(Product.sku)).all()
        amounts = prices.current(session, [row.id for row in rows], currency)
    shared = ("sku", "name", "status", "tax_class", "weight_grams")
    return [
        OfferOut(
            product_id=row.id,
            currency=currency,
            amount=amounts.get(row.id),
            **{name: getattr(row, name) for name in shared},
        )
        for row in rows
    ]


@router.put("/products/{product_id}/prices/{currency}", tags=["products"])
def put_price(product_id: UUID, currency: str, given: PriceIn) -> PriceIn:
    """A price from now on; what it was before stays known."""
    with transaction() as session:
        find(session, product_id)
        session.merge(Price(product_id=product_id, currency=currency, valid_from=clock.now(), amount=given.amount))
    prices.forget(product_id, currency)
    return given


@router.get("/products/{product_id}/stock", tags=["stock"])
def read_stock(product_id: UUID) -> StockOut:
    with transaction() as session:
        return StockOut.model_validate(stock(session, product_id))


@router.put("/products/{product_id}/stock", tags=["stock"])
def put_stock(product_id: UUID, given: StockIn) -> StockOut:
    """Set what is on hand; 409 if more than that is reserved."""
    with transaction() as session:
        level = stock(session, product_id, lock=True)
        level.on_hand = given.on_hand
        session.flush()
        session.refresh(level)
        return StockOut.model_validate(level)


def find(session: Session, product_id: UUID) -> Product:
    product = session.get(Product, product_id)
    if product is None:
        raise not_found("product", product_id)
    return product


def category(session: Session, slug: str) -> Category:
    found = session.scalar(select(Category).where(Category.slug == slug))
    if found is None:
        raise not_found("category", slug)
    return found


def stock(session: Session, product_id: UUID, *, lock: bool = False) -> StockLevel:
    level = session.get(StockLevel, product_id, with_for_update=lock)
    if level is None:
        raise not_found("stock of product", product_id)
    return level


app = service("catalog", api_key("CATALOG_API_KEY"), router)
