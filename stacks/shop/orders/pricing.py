"""What an order costs: goods, the best discount that applies, shipping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import yaml

from orders.models import PricingRule
from shopkit.problems import Problem
from shopkit.settings import setting

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Shipping:
    """A flat rate, and the value of goods from which it is waived."""

    flat: Decimal
    free_from: Decimal


@dataclass(frozen=True)
class Tariff:
    shipping: dict[str, Shipping]
    max_lines: int


@dataclass(frozen=True)
class Price:
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.shipping


@cache
def tariff() -> Tariff:
    """PRICING_RULES_FILE; ORDERS_FREE_SHIPPING_FROM, when set, overrides its limit for euro orders."""
    rules = yaml.safe_load(Path(setting("PRICING_RULES_FILE", "config/pricing.yaml")).read_text(encoding="utf-8"))
    shipping = {code: Shipping(Decimal(row["flat"]), Decimal(row["free_from"])) for code, row in rules["shipping"].items()}
    limit = setting("ORDERS_FREE_SHIPPING_FROM", "")
    if limit:
        shipping["EUR"] = Shipping(shipping["EUR"].flat, Decimal(limit))
    return Tariff(shipping, int(rules["limits"]["lines"]))


def price(subtotal: Decimal, currency: str, segment: str, segment_percent: Decimal, rules: Iterable[PricingRule]) -> Price:
    """Discounts do not add up: the customer gets the highest. Shipping looks at the value after the discount."""
    percents = [rule.percent for rule in rules if applies(rule, subtotal, currency, segment)]
    discount = cents(subtotal * max([segment_percent, *percents]) / 100)
    return Price(subtotal, discount, shipping(subtotal - discount, currency))


def applies(rule: PricingRule, subtotal: Decimal, currency: str, segment: str) -> bool:
    fits = rule.segment in (None, segment) and rule.currency == currency
    return rule.active and fits and subtotal >= rule.minimum


def shipping(goods: Decimal, currency: str) -> Decimal:
    terms = tariff().shipping.get(currency)
    if terms is None:
        raise Problem(422, "currency_not_shipped", f"there is no shipping rate in {currency}")
    return Decimal(0) if goods >= terms.free_from else terms.flat


def spread(discount: Decimal, amounts: list[Decimal]) -> list[Decimal]:
    """`discount` shared out in proportion to `amounts`, in whole cents that add up exactly."""
    total, shares, given = sum(amounts, Decimal(0)), [], Decimal(0)
    running = Decimal(0)
    for amount in amounts:
        running += amount
        share = cents(discount * running / total) - given if total else Decimal(0)
        shares.append(share)
        given += share
    return shares


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
