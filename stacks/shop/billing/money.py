"""Arithmetic with money: prices include tax, and every line is rounded for itself."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def net_of(gross: Decimal, rate: Decimal) -> Decimal:
    """What is left of `gross` without tax at `rate`, in whole cents; the rest is the tax."""
    return cents(gross / (1 + rate))
