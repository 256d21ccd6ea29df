"""The golden dataset `checkout`: a shop after four months of business, the same world in all five databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from golden import ledger, parcels
from golden.files import Dataset, ago, number
from golden.orders import Attempt, Order, basket, history
from golden.people import Person, add_people, people
from golden.reference import Product, products
from shopkit.keys import identity

DAY = 24
STEPS = ("reserve", "authorise", "schedule", "confirm")
DRAFTS = 5  # orders 301 to 305, of customers 1 to 5: ready to be checked out
TOLD = ("orders.placed", "payments.authorised", "deliveries.scheduled", "deliveries.in_transit")


class World:
    """How long things are kept, as in a shop that cleans up: notifications 30 days, saga steps and events 14, outbox 7."""

    def __init__(self) -> None:
        self.data, self.people, self.goods = Dataset(), people(), products()
        self.orders = history(self.people, self.goods)
        self.events: list[tuple[int, str, str, str, dict[str, Any]]] = []  # age, store, subject, message id, payload

    def write(self, folder: Path) -> None:
        add_people(self.data, self.people)
        self.add_stock()
        for order in [*self.orders, *drafts(self.people, self.goods)]:
            self.add_order(order)
        ledger.add_payments(self)
        parcels.add_parcels(self)
        self.add_baskets()
        self.add_events()
        self.data.write(folder)

    def add_stock(self) -> None:
        """Plenty of most products, one piece of the first of each category, none of the last product of all."""
        for position, product in enumerate(self.goods):
            count = 40 + number(160, "stock", product.sku)
            on_hand = 0 if product is self.goods[-1] else (1 if position % 6 == 0 else count)
            self.data.add("catalog-db/stock_levels", product_id=product.id, on_hand=on_hand, reserved=0)
            for currency, amount in product.prices.items():
                key = f"price:{product.id}:{currency}"
                self.data.line("cache/keys", key=key, type="string", value=str(amount), ttl=3600)

    def add_order(self, order: Order) -> None:
        add_order(self.data, order)
        for attempt in order.attempts:
            self.add_reservation(order, attempt)
            if order.age <= 14 * DAY:
                self.add_steps(order, attempt)
            rejected = not attempt.paid
            self.tell(order.age, "orders-db", "orders.placed", f"{order.id}:{attempt.number}", order.event("pending"))
            end = "rejected" if rejected else "confirmed"
            payload = order.event(end) | ({"reason": attempt.outcome} if rejected else {})
            self.tell(order.age, "orders-db", f"orders.{end}", f"{order.id}:{attempt.number}", payload)

    def add_reservation(self, order: Order, attempt: Attempt) -> None:
        key, when = order.key(attempt, "reserve"), ago(order.age)
        if attempt.outcome == "out_of_stock":
            return
        reservation = identity("reservation", key)
        self.data.add(
            "catalog-db/reservations",
            id=reservation,
            idempotency_key=key,
            order_id=order.id,
            status="committed" if attempt.paid else "released",
            created_at=when,
            updated_at=when,
        )
        for product, quantity in order.lines:
            line = {"product_id": product.id, "quantity": quantity}
            self.data.add("catalog-db/reservation_lines", reservation_id=reservation, **line)
        if not attempt.paid:
            self.data.add("catalog-db/cancelled_keys", key=key, cancelled_at=when)

    def add_steps(self, order: Order, attempt: Attempt) -> None:
        refused = {"captured": 4, "out_of_stock": 0}.get(attempt.outcome, 1)
        for position, step in enumerate(STEPS):
            if position < refused:
                status, detail = ("done" if attempt.paid else "compensated"), {}
            else:
                status = "refused" if position == refused else "waiting"
                detail = {"reason": attempt.outcome} if position == refused else {}
            row = {"order_id": order.id, "attempt_no": attempt.number, "position": position, "step": step}
            last = {"status": status, "tries": 0, "detail": detail, "updated_at": ago(order.age)}
            self.data.add("orders-db/saga_steps", **row, **last)

    def add_baskets(self) -> None:
        """An open basket for each active customer up to 120, an abandoned one for each third."""
        for one in [one for one in self.people if one.status == "active" and one.id <= 120]:
            for count, status in enumerate(["abandoned", "open"] if one.id % 3 == 0 else ["open"]):
                key, age = (
                    identity("basket", one.id, count),
                    2 + number(40, "basket", one.id) + (900 if status != "open" else 0),
                )
                row = {"id": key, "customer_id": one.id, "currency": one.currency, "status": status, "order_id": None}
                self.data.add("orders-db/baskets", **row, updated_at=ago(age))
                for product, quantity in basket(self.sold(), "basket", one.id, count):
                    self.data.add("orders-db/basket_items", basket_id=key, product_id=product.id, quantity=quantity)

    def sold(self) -> list[Product]:
        """What there is plenty of."""
        return [product for position, product in enumerate(self.goods[:-1]) if position % 6]

    def tell(self, age: int, store: str, subject: str, key: str, payload: dict[str, Any]) -> None:
        self.events.append((age, store, subject, f"{subject}:{key}", payload))

    def add_events(self) -> None:
        """Each event where it is still kept: outbox (published), stream, and what the customer was told."""
        outboxes: dict[str, int] = {}
        for age, store, subject, message, payload in sorted(self.events, key=lambda event: -event[0]):
            if age <= 7 * DAY:
                outboxes[store] = outboxes.get(store, 0) + 1
                row = {"id": outboxes[store], "message_id": message, "subject": subject, "payload": payload}
                self.data.add(f"{store}/outbox", **row, created_at=ago(age), published_at=ago(age))
            if age <= 14 * DAY:
                stream = f"events/{subject.partition('.')[0]}"
                self.data.line(stream, subject=subject, headers={"Nats-Msg-Id": message}, payload=payload)
            if age <= 30 * DAY and subject in TOLD:
                row = {
                    "message_id": message,
                    "customer_id": payload["customer_id"],
                    "subject": subject,
                    "payload": payload,
                }
                self.data.add("customers-db/notifications", **row, created_at=ago(age))


def add_order(data: Dataset, order: Order) -> None:
    """The rows of orders-db that make an order; the current attempt is the last one."""
    data.add(
        "orders-db/orders",
        id=order.id,
        customer_id=order.buyer.id,
        channel="phone" if order.id % 12 == 0 else "web",
        status=order.status,
        currency=order.currency,
        subtotal=order.subtotal,
        discount=order.discount,
        shipping=order.shipping,
        total=order.total,
        rejection=order.rejection,
        metadata=order.details,
        current_attempt_id=order.attempts[-1].id if order.attempts else None,
        created_at=ago(order.age),
        placed_at=ago(order.age) if order.placed else None,
    )
    for line, (product, quantity) in enumerate(order.lines, 1):
        row = {"order_id": order.id, "line_no": line, "product_id": product.id, "sku": product.sku}
        data.add("orders-db/order_items", **row, quantity=quantity, unit_price=product.prices[order.currency])
    for attempt in order.attempts:
        data.add(
            "orders-db/payment_attempts",
            id=attempt.id,
            order_id=order.id,
            attempt_no=attempt.number,
            method=order.method,
            card_token="tok_visa" if order.method == "card" else None,
            mandate_id=order.buyer.mandate if order.method == "direct_debit" else None,
            authorisation_id=attempt.id if attempt.paid else None,
            status="authorised" if attempt.paid else "declined",
            amount=order.total,
            currency=order.currency,
            created_at=ago(order.age),
        )


def drafts(everybody: list[Person], goods: list[Product]) -> list[Order]:
    """Orders that wait for their checkout, of goods that are there."""
    plenty = [product for position, product in enumerate(goods[:-1]) if position % 6]
    buyers = everybody[:DRAFTS]
    return [Order(301 + n, buyer, 2, "draft", "EUR", basket(plenty, "draft", n), []) for n, buyer in enumerate(buyers)]
