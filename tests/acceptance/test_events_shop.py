"""What the shop's consumers make of events that go wrong, a defect that is revealed by it, and every state of an order on its way."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

import seeder
from seeder.errors import EnvironmentFailed
from seeder.order import aside
from seeder.running.hold import still
from seeder.session import Session
from tests.conftest import copied_shop
from tests.scenarios.seeder import run_id
from tests.scenarios.seeder import seeder as typed

pytestmark = pytest.mark.acceptance
ORDER = "/orders/301"


def variants(folder: Path, runtime: str, events: str) -> tuple[int, dict[str, str], str]:
    words = ("scenario", "run", "events-go-wrong", "--runtime", runtime, "--events", events, "--json")
    done = typed(*words, cwd=folder, timeout=600, SEEDER_CACHE="on")
    result = json.loads(done.out)
    return done.code, {one["variant"]: one["result"] for one in result["variants"]}, result["message"]


@pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_the_shop_bears_what_goes_wrong_as_it_is_documented(tmp_path, runtime):
    code, found, message = variants(copied_shop(tmp_path), runtime, "mutate")
    assert code == 0, message
    assert set(found.values()) == {"passed"}
    assert len(found) == 1 + 3 + 3 + 2 + 3 + 3 + 1


def test_notifications_that_are_not_told_apart_by_their_message_are_revealed(tmp_path):
    folder = copied_shop(tmp_path)
    app = folder / "stacks/shop/customers/app.py"
    text = app.read_text()
    for old, new in ((" and session.get(Notification, message_id) is None", ""), ("message_id=message_id,", "message_id=str(uuid4()),")):
        assert old in text
        text = text.replace(old, new)
    app.write_text(text.replace("from __future__ import annotations\n", "from __future__ import annotations\n\nfrom uuid import uuid4\n"))
    code, found, message = variants(folder, "local", "missing,duplicated,replayed")
    assert code == 122
    refused = {name for name, how in found.items() if how == "refused"}
    assert refused == {"duplicated authorised", "duplicated scheduled", "replayed"}
    assert "expected 5, last seen 6" in message


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = copied_shop(tmp_path_factory.mktemp("shop"))
    with seeder.up("shop", scenario="checkout-ready", runtime="local", project=folder) as session:
        yield session, folder


def status(session: Session, catalog: ExitStack):
    """Looks at the order, which is checked out once it was seen as a draft; the catalog, which was held, goes on once it waits for it."""
    catalog.enter_context(still(session._here, ["catalog"]))
    orders, asked = session.http("orders"), []

    def look() -> str:
        seen = orders.get(ORDER).json()["status"]
        if seen == "draft" and not asked:
            asked.append(aside(lambda: orders.post(f"{ORDER}/checkout", json={"method": "card", "card_token": "tok_good"}, timeout=30)))
        if seen == "pending":
            catalog.close()
        return seen

    return look


def test_every_state_on_the_way_of_an_order_is_seen_and_one_that_is_not_allowed_is_told_with_those_before_it(shop):
    session, folder = shop
    with ExitStack() as catalog:
        session.eventually(status(session, catalog), until="confirmed", within="60s", meanwhile=["draft", "pending"])
    journal = (folder / ".seeder/runs" / run_id(folder) / "events.jsonl").read_text()
    waited = [found for line in journal.splitlines() if (found := json.loads(line))["event"] == "waited"][-1]
    assert [state["shown"] for state in waited["seen"]] == ["'draft'", "'pending'", "'confirmed'"]
    session.reset()
    with (
        ExitStack() as catalog,
        pytest.raises(EnvironmentFailed, match=r"the answer was 'pending', .* not allowed .*: 'draft' \(.* -> 'pending' \("),
    ):
        session.eventually(status(session, catalog), until="confirmed", within="60s", meanwhile=["draft"])
