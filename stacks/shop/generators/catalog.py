"""What the catalog team offers to scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from seeder import Context, generator

OWNER, CONTACT = "catalog-team", "catalog-team@example.com"
Amount = Annotated[str, Field(pattern=r"^\d+(\.\d\d)?$", description="money, as a decimal in a text")]


def sold(ctx: Context) -> str:
    """The category of all that scenarios sell; in a shop that others use, too, one of the run's own."""
    return f"{ctx.mark}-tests" if ctx.mark else "tests"


@dataclass
class Product:
    id: str
    sku: str
    name: str
    stock: int


@dataclass
class Price:
    product_id: str
    currency: str
    amount: str


def sku(ctx: Context) -> str:
    return ctx.unique("SKU")


def of_this_step(ctx: Context, *, stock: int, **_: Any) -> Product | None:
    found = ctx.http("catalog").get("/products", params={"sku": sku(ctx)}).raise_for_status().json()
    return Product(found[0]["id"], found[0]["sku"], found[0]["name"], stock) if found else None


def erase(ctx: Context, product: Product) -> None:
    """The last one takes the category with it."""
    api = ctx.http("catalog")
    gone = api.delete(f"/products/{product.id}")
    if gone.status_code != 404:
        gone.raise_for_status()
    emptied = api.delete(f"/categories/{sold(ctx)}")
    if emptied.status_code not in (404, 409):  # there are others in it, or it is gone
        emptied.raise_for_status()


@generator("catalog.create_product", version="1", owner=OWNER, contact=CONTACT, find=of_this_step, undo=erase, within="10s")
def create_product(
    ctx: Context,
    *,
    name: str = "Test product",
    price: Amount = "25.00",
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR",
    stock: Annotated[int, Field(ge=0)] = 100,
    weight_grams: Annotated[int, Field(ge=1)] = 500,
    colour: str | None = None,
) -> Product:
    """A product that is sold, with a price and goods in stock."""
    body = {
        "sku": sku(ctx), "name": name, "category": sold(ctx), "new_category": "Test goods", "weight_grams": weight_grams, "stock": stock,
        "prices": {currency: price}, "attributes": {"colour": colour} if colour else {},
    }  # fmt: skip
    found = ctx.http("catalog").post("/products", json=body).raise_for_status().json()
    return Product(found["id"], found["sku"], found["name"], stock)


@generator("catalog.set_price", version="1", owner=OWNER, contact=CONTACT, key="price", undo="nothing")
def set_price(ctx: Context, *, product_id: str, amount: Amount, currency: str = "EUR") -> Price:
    """What a product costs in a currency from now on."""
    ctx.http("catalog").put(f"/products/{product_id}/prices/{currency}", json={"amount": amount}).raise_for_status()
    return Price(product_id, currency, amount)


@generator("catalog.set_stock", version="1", owner=OWNER, contact=CONTACT, key="stock", undo="nothing")
def set_stock(ctx: Context, *, product_id: str, on_hand: Annotated[int, Field(ge=0)]) -> Product:
    """How many of a product lie in the warehouse."""
    api = ctx.http("catalog")
    api.put(f"/products/{product_id}/stock", json={"on_hand": on_hand}).raise_for_status()
    found = api.get(f"/products/{product_id}").raise_for_status().json()
    return Product(found["id"], found["sku"], found["name"], on_hand)
