"""Fixtures of the shop's end-to-end tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from client import Shop


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def output() -> Callable[[str], int]:
    """What the scenario gives to its tests under a name, as a number."""

    def read(name: str) -> int:
        variable = f"SEEDER_OUTPUT_{name.upper()}"
        if variable not in os.environ:
            pytest.skip(f"only a scenario with the output {name} has what this test needs")
        return int(os.environ[variable])

    return read
