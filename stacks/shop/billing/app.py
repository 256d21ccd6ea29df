"""The billing service: payments, fraud check, invoices, rates."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select

from billing import authorisations, invoices
from billing.models import ExchangeRate, FraudRule, Outbox, TaxRate
from billing.schemas import CountryCode, CurrencyCode, FraudRuleOut, RateIn
from shopkit import clock
from shopkit.auth import basic
from shopkit.database import transaction
from shopkit.events import Events
from shopkit.service import service

router = APIRouter()
router.include_router(authorisations.router)
router.include_router(invoices.router)
events = Events(Outbox)


@router.put("/exchange-rates/{currency}", tags=["reference"])
def put_exchange_rate(currency: CurrencyCode, given: RateIn) -> RateIn:
    """Euro for one unit of the currency, from today on."""
    with transaction() as session:
        session.merge(ExchangeRate(currency=currency, valid_from=clock.today(), rate=given.rate))
    return given


@router.put("/tax-rates/{country}/{tax_class}", tags=["reference"])
def put_tax_rate(country: CountryCode, tax_class: str, given: RateIn) -> RateIn:
    """The tax rate from today on."""
    with transaction() as session:
        session.merge(TaxRate(country_code=country, tax_class=tax_class, valid_from=clock.today(), rate=given.rate))
    return given


@router.get("/fraud-rules", tags=["reference"])
def fraud_rules() -> list[FraudRuleOut]:
    with transaction() as session:
        return [FraudRuleOut.model_validate(row) for row in session.scalars(select(FraudRule).order_by(FraudRule.code))]


app = service("billing", basic("BILLING_USERNAME", "BILLING_PASSWORD"), router, background=[events.run])
