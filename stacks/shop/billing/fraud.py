"""How risky a payment is: the scores of all rules that hit, up to 100; from 80 on it is rejected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing.models import FraudRule

REJECT_FROM, REVIEW_FROM = 80, 50


@dataclass(frozen=True)
class Payment:
    """What the rules look at; `recent` counts the customer's other authorisations of the last 24 hours."""

    amount_eur: Decimal
    billing_country: str
    shipping_country: str
    recent: int


@dataclass(frozen=True)
class Verdict:
    score: int
    hits: tuple[str, ...]

    @property
    def outcome(self) -> str:
        if self.score >= REJECT_FROM:
            return "rejected"
        return "review" if self.score >= REVIEW_FROM else "accepted"


def judge(payment: Payment, rules: Iterable[FraudRule]) -> Verdict:
    hits = [rule for rule in rules if rule.enabled and hit(payment, rule)]
    return Verdict(min(100, sum(rule.score for rule in hits)), tuple(sorted(rule.code for rule in hits)))


def hit(payment: Payment, rule: FraudRule) -> bool:
    threshold = rule.threshold or Decimal(0)  # the table has one wherever it is looked at
    match rule.kind:
        case "amount_over":
            return payment.amount_eur > threshold
        case "velocity":
            return payment.recent >= threshold
        case "country_mismatch":
            return payment.billing_country != payment.shipping_country
        case "blocked_country":
            return rule.country_code in (payment.billing_country, payment.shipping_country)
    raise ValueError(f"fraud rule {rule.code} is of the unknown kind {rule.kind}")
