"""Invoices: net, tax and gross per line in the order's currency, and the whole in euro."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Authorisation, ExchangeRate, Invoice, InvoiceLine, TaxRate
from billing.money import net_of
from billing.schemas import CaptureIn, InvoiceOut, LineIn
from shopkit import clock
from shopkit.database import transaction
from shopkit.problems import Problem, not_found

router = APIRouter(prefix="/invoices", tags=["invoices"])


@router.get("")
def find(order_id: int | None = None, customer_id: int | None = None, limit: int = 50) -> list[InvoiceOut]:
    query = select(Invoice).order_by(Invoice.id).limit(min(limit, 200))
    if order_id is not None:
        query = query.where(Invoice.order_id == order_id)
    if customer_id is not None:
        query = query.where(Invoice.customer_id == customer_id)
    with transaction() as session:
        return [InvoiceOut.model_validate(row) for row in session.scalars(query)]


@router.get("/{invoice_id}")
def read(invoice_id: int) -> InvoiceOut:
    with transaction() as session:
        invoice = session.get(Invoice, invoice_id)
        if invoice is None:
            raise not_found("invoice", invoice_id)
        return InvoiceOut.model_validate(invoice)


def issue(session: Session, authorisation: Authorisation, given: CaptureIn) -> Invoice:
    """The invoice of what was captured: paid at once by card, due in 14 days by direct debit."""
    gross = sum((line.gross for line in given.lines), Decimal(0))
    if gross != authorisation.amount:
        raise Problem(409, "amount_differs", f"the lines add up to {gross}, authorised were {authorisation.amount}")
    lines = [invoice_line(session, number, line, given.country) for number, line in enumerate(given.lines, 1)]
    net, today = sum((line.net for line in lines), Decimal(0)), clock.today()
    invoice = Invoice(
        order_id=authorisation.order_id,
        customer_id=authorisation.customer_id,
        authorisation_id=authorisation.id,
        currency=authorisation.currency,
        net=net,
        tax=gross - net,
        exchange_rate=exchange_rate(session, authorisation.currency),
        status="paid" if authorisation.method == "card" else "open",
        issued_on=today,
        due_on=today if authorisation.method == "card" else today + timedelta(days=14),
        lines=lines,
    )
    session.add(invoice)
    session.flush()
    return invoice


def invoice_line(session: Session, number: int, line: LineIn, country: str) -> InvoiceLine:
    rate = tax_rate(session, country, line.tax_class)
    shared = line.model_dump(include={"product_id", "description", "quantity", "gross"})
    return InvoiceLine(line_no=number, tax_rate=rate, net=net_of(line.gross, rate), **shared)


def void(session: Session, authorisation: Authorisation) -> None:
    """Void the invoice of a payment, if it got that far."""
    of_payment = Invoice.authorisation_id == authorisation.id
    for invoice in session.scalars(select(Invoice).where(of_payment, Invoice.status != "void")):
        invoice.status = "void"


def of_order(session: Session, order_id: int) -> Invoice:
    return session.scalars(select(Invoice).where(Invoice.order_id == order_id, Invoice.status != "void")).one()


def tax_rate(session: Session, country: str, tax_class: str) -> Decimal:
    """The rate on this day; a country that the shop knows no rate for is invoiced without tax (export)."""
    valid = TaxRate.valid_from <= clock.today()
    query = select(TaxRate.rate).where(TaxRate.country_code == country, TaxRate.tax_class == tax_class, valid)
    rate = session.scalar(query.order_by(TaxRate.valid_from.desc()).limit(1))
    return Decimal(0) if rate is None else rate


def exchange_rate(session: Session, currency: str) -> Decimal:
    """Euro for one unit of `currency` on this day."""
    query = select(ExchangeRate.rate).where(ExchangeRate.currency == currency, ExchangeRate.valid_from <= clock.today())
    rate = session.scalar(query.order_by(ExchangeRate.valid_from.desc()).limit(1))
    if rate is None:
        raise Problem(422, "currency_unknown", f"there is no exchange rate for {currency}")
    return rate
