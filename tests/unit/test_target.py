"""How a store's address is written for those who connect to it."""

from __future__ import annotations

import pytest

from seeder.passed.target import Address, Target

DB = Target("db", "postgres", "postgresql", Address("127.0.0.1", 5432), "app", "p/w", "notes")
PLACE = "://app:p%2Fw@127.0.0.1:5432/notes"


@pytest.mark.parametrize(
    ("driver", "scheme"),
    [
        (None, "postgresql"),
        ("asyncpg", "postgresql+asyncpg"),
        ("postgresql+asyncpg", "postgresql+asyncpg"),
        ("postgresql", "postgresql"),
    ],
)
def test_a_driver_may_be_named_with_its_scheme_or_without(driver, scheme):
    assert DB.url(driver) == scheme + PLACE
