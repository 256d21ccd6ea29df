"""What counts as the expected value, and which keys lead nowhere."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.gates.references import lacking
from seeder.handles import matching

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
ID = uuid.UUID("0b0e7d7a-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        (1, 1.0),
        (19.9, Decimal("19.90")),
        ("19.90", Decimal("19.90")),
        ("pending", "pending"),
        (None, None),
        (True, True),
        ("2026-01-15T13:00:00+01:00", NOON),
        ("2026-01-15", datetime.date(2026, 1, 15)),
        (str(ID), ID),
        ([[1, "a"], [2, None]], [(1, "a"), (2, None)]),
        ({"a": [1]}, {"a": [1]}),
    ],
)
def test_equal_values(expected: Any, seen: Any) -> None:
    assert matching.same(expected, seen)


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        (1, True),
        (False, 0),
        (1, "1"),
        ("1", 1),
        (None, 0),
        (None, ""),
        ("noon", NOON),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([], {}),
    ],
)
def test_values_that_differ(expected: Any, seen: Any) -> None:
    assert not matching.same(expected, seen)


def test_a_body_may_hold_more_than_was_expected_on_every_level() -> None:
    body = {"status": "open", "lines": [{"id": 1, "sku": "x"}], "total": 2}
    assert matching.within({"lines": [{"sku": "x"}], "total": 2.0}, body)
    assert not matching.within({"lines": []}, body)
    assert not matching.within({"state": "open"}, body)


def test_a_long_value_is_cut_in_messages() -> None:
    assert len(matching.words("x" * 1000)) < 320


texts = st.lists(st.text(alphabet="ab\u00e9\U0001f600 1", max_size=3), unique=True)


@given(source=texts, target=texts)
def test_what_a_reference_lacks_is_the_difference_of_both_sides(source: list[str], target: list[str]) -> None:
    found = lacking([(value, (value,)) for value in sorted(source)], sorted(target))
    assert {value for value, _ in found} == set(source) - set(target)
