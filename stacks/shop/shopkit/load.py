"""Customers who buy what there is: `python -m shopkit.load` places LOAD_ORDERS orders, the same ones each time."""

from __future__ import annotations

import random
import sys
from collections import Counter

from shopkit import http
from shopkit.settings import setting


def main() -> None:
    customers, catalog, dice = http.customers(), http.catalog(), random.Random(setting("LOAD_SEED", "42"))
    orders = http.ServiceClient("orders", headers={"Authorization": f"Bearer {setting('ORDERS_TOKEN')}"})
    buyers = [row["id"] for row in customers.get("/customers", limit=200) if row["status"] == "active"]
    goods = [row["id"] for row in catalog.get("/products", limit=500) if row["status"] == "active"]
    if not buyers or not goods:
        sys.exit("there is nobody to buy or nothing to sell: load a dataset first")
    outcomes: Counter[str] = Counter()
    for number in range(int(setting("LOAD_ORDERS", "50"))):
        items = [{"product_id": product, "quantity": dice.randint(1, 3)} for product in dice.sample(goods, k=min(3, len(goods)))]
        outcomes[order(orders, f"load-{number}", {"customer_id": dice.choice(buyers), "items": items})] += 1
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))  # noqa: T201


def order(orders: http.ServiceClient, key: str, body: dict[str, object]) -> str:
    try:
        made = orders.post("/orders", key=key, json=body)
        done = orders.post(f"/orders/{made['id']}/checkout", key=key, json={"method": "card", "card_token": "tok_visa"})
    except http.Refused as error:
        return error.code
    return str(done["status"])


if __name__ == "__main__":
    main()
