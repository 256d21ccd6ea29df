"""Arithmetic with money."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from billing.money import net_of
from customers.iban import is_valid
from orders.models import PricingRule
from orders.pricing import price, spread

PRICING = Path(__file__).parents[1] / "config/pricing.yaml"


@pytest.mark.parametrize(("gross", "rate", "net"), [("119.00", "0.19", "100.00"), ("0.01", "0.19", "0.01"), ("99.99", "0", "99.99")])
def test_net_is_what_is_left_in_whole_cents(gross: str, rate: str, net: str) -> None:
    assert net_of(Decimal(gross), Decimal(rate)) == Decimal(net)


@pytest.mark.parametrize("amounts", [["10.00", "10.00", "10.00"], ["0.01", "99.99"], ["0.00"], ["7.77"] * 7])
def test_shares_of_a_discount_add_up_to_it(amounts: list[str]) -> None:
    lines = [Decimal(amount) for amount in amounts]
    discount = min(Decimal("9.99"), sum(lines, Decimal(0)))
    shares = spread(discount, lines)
    assert sum(shares, Decimal(0)) == discount
    assert all(0 <= share <= line + Decimal("0.01") for share, line in zip(shares, lines, strict=True))


def rule(percent: str, **more: object) -> PricingRule:
    known = {"segment": None, "currency": "EUR", "minimum": Decimal(0), "active": True}
    return PricingRule(code=percent, percent=Decimal(percent), **known | more)


@pytest.mark.parametrize(
    ("rules", "discount"),
    [
        ([], "5.00"),
        ([rule("10")], "10.00"),
        ([rule("3")], "5.00"),
        ([rule("10", minimum=Decimal("100.01"))], "5.00"),
        ([rule("10", segment="business")], "5.00"),
        ([rule("10", currency="USD"), rule("20", active=False)], "5.00"),
    ],
)
def test_the_highest_discount_that_applies_is_given(rules: list[PricingRule], discount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRICING_RULES_FILE", str(PRICING))
    assert price(Decimal("100.00"), "EUR", "plus", Decimal(5), rules).discount == Decimal(discount)


def test_iban_check_digits() -> None:
    assert is_valid("DE02120300000000202051")
    assert not is_valid("DE03120300000000202051")
    assert not is_valid("DE02")
