"""What the gate of marks advises is what this target's isolation lets a capability do."""

from __future__ import annotations

import pytest

from seeder.gates.marks import OWN, _answered
from seeder.steps.ledger import Entry


@pytest.mark.parametrize(("isolation", "told", "not_told"), [("prefix", "ctx.mark", "tenant"), ("tenant", "for which tenant", "ctx.mark")])
def test_a_thing_without_the_mark_is_told_with_what_helps_there(isolation: str, told: str, not_told: str) -> None:
    entry = Entry("placed", "orders.place", "1", "orders-team", "orders.py", given={}, made={"id": "77"}, state="confirmed")
    (problem,) = _answered([entry], "id", "sd-abcdefgh", OWN[isolation])
    assert told in problem.remedy
    assert not_told not in problem.remedy
