"""Reference data: countries, currencies, rates, and the range of goods."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from golden.files import Dataset, number
from shopkit.keys import identity

# code, name, currency, region, standard and reduced tax rate
COUNTRIES = [
    line.split("|")
    for line in """
AT|Austria|EUR|EU|0.20|0.10
AU|Australia|AUD|APAC||
BE|Belgium|EUR|EU|0.21|0.06
BG|Bulgaria|EUR|EU|0.20|0.09
CA|Canada|CAD|NA||
CH|Switzerland|CHF|EFTA|0.081|0.026
CY|Cyprus|EUR|EU|0.19|0.05
CZ|Czechia|CZK|EU|0.21|0.12
DE|Germany|EUR|EU|0.19|0.07
DK|Denmark|DKK|EU|0.25|0.25
EE|Estonia|EUR|EU|0.24|0.09
ES|Spain|EUR|EU|0.21|0.10
FI|Finland|EUR|EU|0.255|0.14
FR|France|EUR|EU|0.20|0.055
GB|United Kingdom|GBP|UK|0.20|0.05
GR|Greece|EUR|EU|0.24|0.13
HR|Croatia|EUR|EU|0.25|0.13
HU|Hungary|HUF|EU|0.27|0.18
IE|Ireland|EUR|EU|0.23|0.135
IS|Iceland|ISK|EFTA|0.24|0.11
IT|Italy|EUR|EU|0.22|0.10
JP|Japan|JPY|APAC||
LI|Liechtenstein|CHF|EFTA|0.081|0.026
LT|Lithuania|EUR|EU|0.21|0.09
LU|Luxembourg|EUR|EU|0.17|0.08
LV|Latvia|EUR|EU|0.21|0.12
MT|Malta|EUR|EU|0.18|0.05
NL|Netherlands|EUR|EU|0.21|0.09
NO|Norway|NOK|EFTA|0.25|0.15
NZ|New Zealand|NZD|APAC||
PL|Poland|PLN|EU|0.23|0.08
PT|Portugal|EUR|EU|0.23|0.06
RO|Romania|RON|EU|0.21|0.11
SE|Sweden|SEK|EU|0.25|0.12
SI|Slovenia|EUR|EU|0.22|0.095
SK|Slovakia|EUR|EU|0.23|0.19
US|United States|USD|NA|0|0
""".strip().splitlines()
]

# code, name, minor digits, euro for one unit
CURRENCIES = [
    line.split("|")
    for line in """
AUD|Australian dollar|2|0.570000
CAD|Canadian dollar|2|0.620000
CHF|Swiss franc|2|1.070000
CZK|Czech koruna|2|0.041000
DKK|Danish krone|2|0.134000
EUR|Euro|2|1.000000
GBP|Pound sterling|2|1.150000
HUF|Hungarian forint|2|0.002600
ISK|Icelandic krona|0|0.006800
JPY|Yen|0|0.005500
NOK|Norwegian krone|2|0.085000
NZD|New Zealand dollar|2|0.500000
PLN|Polish zloty|2|0.236000
RON|Romanian leu|2|0.196000
SEK|Swedish krona|2|0.092000
USD|US dollar|2|0.860000
""".strip().splitlines()
]

# category: typical weight in grams, tax class, products with their price in euro
RANGE = {
    "kitchen": {
        "coffee": (
            750,
            "reduced",
            "House blend 9|Dark roast 10|Single origin Huila 15|Decaf 11|Espresso beans 12|Filter ground 8",
        ),
        "tea": (200, "reduced", "Assam leaf 7|Green sencha 12|Mint 5|Rooibos 6|Earl grey 7|Chamomile 5"),
        "cookware": (
            1900,
            "standard",
            "Cast iron pan 65|Saucepan 2 l 49|Roasting tin 35|Wok 42|Stock pot 79|Milk pan 22",
        ),
        "knives": (
            300,
            "standard",
            "Chef's knife 95|Paring knife 24|Bread knife 48|Whetstone 39|Knife block 110|Cleaver 72",
        ),
    },
    "home": {
        "lighting": (
            1500,
            "standard",
            "Desk lamp 59|Floor lamp 149|Pendant 89|String lights 25|Reading lamp 45|Lantern 32",
        ),
        "textiles": (
            900,
            "standard",
            "Wool blanket 89|Linen sheet 79|Bath towel 25|Cushion 29|Table cloth 45|Tea towel, set of 3 15",
        ),
        "storage": (1200, "standard", "Basket 19|Shelf box 12|Shoe rack 49|Hook rail 25|Jar, 1 l 9|Drawer insert 16"),
        "plants": (2500, "reduced", "Monstera 39|Fern 15|Aloe 12|Herb pot 8|Bonsai 59|Watering can 24"),
    },
    "outdoor": {
        "camping": (
            2800,
            "standard",
            "Tent for two 299|Sleeping bag 149|Mat 59|Gas stove 45|Head torch 35|Folding chair 49",
        ),
        "hiking": (
            1100,
            "standard",
            "Trail jacket 199|Daypack 22 l 89|Trekking poles 75|Map case 15|Gaiters 35|Water filter 42",
        ),
        "cycling": (700, "standard", "Helmet 89|Front light 39|Pump 25|Pannier 69|Lock 59|Repair kit 12"),
        "garden": (2200, "standard", "Spade 39|Secateurs 29|Hose 20 m 35|Seed mix 6|Gloves 12|Rain gauge 18"),
    },
    "office": {
        "paper": (
            500,
            "reduced",
            "Notebook A5 9|Sketch pad 14|Year planner 19|Index cards 4|Envelopes 6|Kraft paper 8",
        ),
        "writing": (100, "standard", "Fountain pen 49|Gel pen, blue 3|Pencil set 12|Ink 50 ml 15|Marker 4|Eraser 2"),
        "desk": (
            3500,
            "standard",
            "Monitor stand 69|Desk mat 29|Foot rest 55|Cable tray 35|Pen tray 19|Standing desk frame 399",
        ),
        "books": (
            450,
            "reduced",
            "City atlas 29|Bread book 32|Field guide 25|Typography 45|Woodwork basics 28|Short stories 14",
        ),
    },
}
PRICED_IN = {"EUR": Decimal(1), "GBP": Decimal("0.87"), "USD": Decimal("1.17"), "CHF": Decimal("0.96")}


@dataclass(frozen=True)
class Product:
    id: UUID
    sku: str
    name: str
    category: int
    tax_class: str
    weight: int
    prices: dict[str, Decimal]


def products() -> list[Product]:
    """The range of goods, in the order of its categories; ids and prices depend on the SKU alone."""
    found = []
    for category, (group, members) in enumerate(leaves(), len(RANGE) + 1):
        weight, tax_class, names = members
        for position, entry in enumerate(names.split("|"), 1):
            name, _, euro = entry.rpartition(" ")
            sku = f"{group[:3].upper()}-{category:02d}{position:02d}"
            prices = {code: (Decimal(euro) * rate).quantize(Decimal(1)) - Decimal("0.10") for code, rate in PRICED_IN.items()}
            grams = weight // 2 + number(weight, sku, "weight")
            found.append(Product(identity("product", sku), sku, name, category, tax_class, grams, prices))
    return found


def leaves() -> list[tuple[str, tuple[int, str, str]]]:
    return [(slug, members) for group in RANGE.values() for slug, members in group.items()]


def write(folder: Path) -> None:
    data = Dataset()
    for code, name, currency, region, standard, reduced in COUNTRIES:
        data.add("customers-db/countries", code=code, name=name, currency=currency, region=region)
        for tax_class, rate in (("standard", standard), ("reduced", reduced)):
            if rate:
                row = {"country_code": code, "tax_class": tax_class, "valid_from": "2025-01-01", "rate": rate}
                data.add("billing-db/tax_rates", **row)
    for code, name, digits, rate in CURRENCIES:
        data.add("catalog-db/currencies", code=code, name=name, minor_digits=digits)
        data.add("billing-db/exchange_rates", currency=code, valid_from="2026-01-01", rate=rate)
    add_goods(data)
    data.write(folder)


def add_goods(data: Dataset) -> None:
    children = [(group, slug) for group, members in RANGE.items() for slug in members]
    for key, slug in enumerate([*RANGE, *(slug for _, slug in children)], 1):
        parent = None if slug in RANGE else list(RANGE).index(children[key - len(RANGE) - 1][0]) + 1
        data.add("catalog-db/categories", id=key, parent_id=parent, slug=slug, name=slug.capitalize(), position=key)
    for product in products():
        data.add(
            "catalog-db/products",
            id=product.id,
            sku=product.sku,
            name=product.name,
            category_id=product.category,
            status="active",
            tax_class=product.tax_class,
            weight_grams=product.weight,
            attributes={"origin": "EU"} if product.tax_class == "reduced" else {},
            created_at="2025-01-01T00:00:00Z",
        )
        for currency, amount in product.prices.items():
            since = "2025-01-01T00:00:00Z"
            data.add("catalog-db/prices", product_id=product.id, currency=currency, valid_from=since, amount=amount)
