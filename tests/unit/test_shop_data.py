"""The example shop's golden data is what its services would have made of it: an event that is still kept finds its work done."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = ROOT / "testdata/golden/checkout"


def test_of_every_event_that_is_kept_the_customer_was_told() -> None:
    told = re.findall(r'@events\.on\("(.+)"\)', (ROOT / "stacks/shop/customers/app.py").read_text(encoding="utf-8"))
    lines = [json.loads(line) for file in CHECKOUT.glob("events/*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    kept = {line["headers"]["Nats-Msg-Id"] for line in lines if line["subject"] in told}
    with (CHECKOUT / "customers-db/notifications.csv").open(encoding="utf-8", newline="") as rows:
        notified = {row["message_id"] for row in csv.DictReader(rows)}
    assert kept
    assert kept - notified == set()
