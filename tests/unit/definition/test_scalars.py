"""What unquoted scalars mean, in seeder's own files and in compose files."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.definition.scalars import COMPOSE, SEEDER, as_text

EITHER = {
    "": None, "~": None, "null": None, "true": True, "False": False, "tRue": "tRue", "NO": "NO", "yes": "yes", "on": "on",
    "22:22": "22:22", "1.2.3": "1.2.3", "12": 12, "-12": -12, "+12": 12, "0x1F": 31, "0o17": 15, "1.10": 1.1, ".5": 0.5, "1e3": 1000.0,
    ".inf": math.inf, "-.INF": -math.inf, "-": "-", ".": ".", "...": "...", "0x": "0x", "1e": "1e", "127.0.0.1": "127.0.0.1",
}  # fmt: skip
DIFFERENT = {  # text: (seeder, compose)
    "0644": (644, 420),
    "08": (8, 8.0),
    "1_000": ("1_000", 1000),
    "0b11": ("0b11", 3),
    "2026-01-15": ("2026-01-15", "2026-01-15 00:00:00 +0000 UTC"),
    "2026-01-15T12:00:00Z": ("2026-01-15T12:00:00Z", "2026-01-15 12:00:00 +0000 UTC"),
    "2026-01-15T12:00:00.50+02:00": ("2026-01-15T12:00:00.50+02:00", "2026-01-15 12:00:00.5 +0200 +0200"),
    "2026-13-15": ("2026-13-15", "2026-13-15"),
    "18446744073709551616": (18446744073709551616, 18446744073709551616.0),
}


@pytest.mark.parametrize("text", EITHER)
def test_most_scalars_mean_the_same_everywhere(text):
    for dialect in (SEEDER, COMPOSE):
        value = dialect.plain(text)
        assert (type(value), value) == (type(EITHER[text]), EITHER[text])


@pytest.mark.parametrize("text", DIFFERENT)
def test_some_scalars_are_what_compose_makes_of_them(text):
    assert (SEEDER.plain(text), COMPOSE.plain(text)) == DIFFERENT[text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (1.1, "1.1"), (1e6, "1e+06"), (12000.0, "12000"), (1e-5, "1e-05"), (123456789.5, "1.234567895e+08"), (0.0, "0")],
)
def test_a_number_becomes_text_as_compose_writes_it(value, text):
    assert as_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_that_number(number):
    assert float(as_text(number)) == number


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_whole_numbers_are_kept(number):
    assert SEEDER.plain(str(number)) == COMPOSE.plain(str(number)) == number


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_every_scalar_means_something(text):
    for dialect in (SEEDER, COMPOSE):
        value = dialect.plain(text)
        assert value is None or isinstance(as_text(value), str)
