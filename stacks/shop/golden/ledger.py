"""The billing side of the orders: authorisations with their fraud checks, and invoices.

An authorisation has the number of the attempt that asked for it; attempts that ended before (no stock) leave a gap.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from billing.money import net_of
from golden.files import ago, days_ago
from golden.orders import Attempt, Order
from golden.reference import COUNTRIES, CURRENCIES

if TYPE_CHECKING:
    from golden.checkout import World

TAX = {row[0]: {"standard": Decimal(row[4] or 0), "reduced": Decimal(row[5] or 0)} for row in COUNTRIES}
EURO = {code: Decimal(rate) for code, _, _, rate in CURRENCIES}


def add_payments(world: World) -> None:
    for order in world.orders:
        for attempt in order.attempts:
            if attempt.outcome != "out_of_stock":
                add_authorisation(world, order, attempt)
        if order.paid:
            add_invoice(world, order, order.paid)


def add_authorisation(world: World, order: Order, attempt: Attempt) -> None:
    when, status = ago(order.age), "captured" if attempt.paid else "declined"
    world.data.add(
        "billing-db/authorisations",
        id=attempt.id,
        idempotency_key=order.key(attempt, "authorise"),
        order_id=order.id,
        customer_id=order.buyer.id,
        method=order.method,
        mandate_id=order.buyer.mandate if order.method == "direct_debit" else None,
        amount=order.total,
        currency=order.currency,
        status=status,
        decline_reason=None if attempt.paid else attempt.outcome,
        created_at=when,
        updated_at=when,
    )
    large = order.total * EURO[order.currency] > 2500
    check = {
        "score": 50 if large else 0,
        "outcome": "review" if large else "accepted",
        "hits": ["large-amount"] if large else [],
    }
    world.data.add("billing-db/fraud_checks", authorisation_id=attempt.id, **check, created_at=when)
    for event in ("authorised", "captured") if attempt.paid else ("declined",):
        payload = payment(order, attempt) | ({} if attempt.paid else {"reason": attempt.outcome})
        world.tell(order.age, "billing-db", f"payments.{event}", order.key(attempt, "authorise"), payload)


def payment(order: Order, attempt: Attempt) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "customer_id": order.buyer.id,
        "authorisation_id": attempt.id,
        "amount": str(order.total),
        "currency": order.currency,
    }


def add_invoice(world: World, order: Order, attempt: Attempt) -> None:
    """By card paid at once; by direct debit due after 14 days and paid then."""
    data, key = world.data, len(world.data.tables["billing-db/invoices"]) + 1
    rates = TAX[order.buyer.country]
    lines = [line | {"net": net_of(line["gross"], rates[line["tax_class"]])} for line in order.invoice_lines()]
    net = sum((line["net"] for line in lines), Decimal(0))
    due = order.age if order.method == "card" else order.age - 14 * 24
    data.add(
        "billing-db/invoices",
        id=key,
        order_id=order.id,
        customer_id=order.buyer.id,
        authorisation_id=attempt.id,
        currency=order.currency,
        net=net,
        tax=order.total - net,
        exchange_rate=EURO[order.currency],
        status="paid" if due >= 0 else "open",
        issued_on=days_ago(order.age),
        due_on=days_ago(order.age) if order.method == "card" else days_after(order.age, 14),
    )
    for position, line in enumerate(lines, 1):
        row = {name: line[name] for name in ("product_id", "description", "quantity", "gross")}
        rate = rates[line["tax_class"]]
        data.add("billing-db/invoice_lines", invoice_id=key, line_no=position, **row, tax_rate=rate, net=line["net"])


def days_after(age: int, days: int) -> str:
    """A date `days` after the day that was `age` hours before as_of."""
    left = age // 24 - days
    return f"as_of-{left}d" if left >= 0 else f"as_of+{-left}d"
