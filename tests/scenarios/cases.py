"""Long products of cases: ci/test takes some that together meet every value, ci/acceptance takes all (SEEDER_TEST_CASES=all)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import pytest

EVERY = os.environ.get("SEEDER_TEST_CASES") == "all"
RUNTIMES = ("local", "docker")


def product(names: str, *values: Sequence[str], some: Sequence[Sequence[str]]) -> pytest.MarkDecorator:
    """Parametrize a test by the product of the values, or by some cases of it; what runs on docker is marked so."""
    every = list(itertools.product(*values))
    assert {tuple(case) for case in some} <= set(every)
    cases = every if EVERY else some
    return pytest.mark.parametrize(names, [pytest.param(*case, marks=[pytest.mark.docker] * ("docker" in case)) for case in cases])
