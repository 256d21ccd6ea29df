"""How many examples the tests of rewinding try, and where they begin: SEEDER_TEST_REWINDS examples each, from SEEDER_TEST_SEED."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("SEEDER_TEST_REWINDS", "2"))
SEED = int(os.environ.get("SEEDER_TEST_SEED") or secrets.randbits(32))


def rounds(operation: st.SearchStrategy[Any], most: int = 12, examples: int = EXAMPLES) -> Callable[[Any], Any]:
    """A test that gets lists of operations, for a server that goes on from one example to the next."""

    def decorated(test: Any) -> Any:
        checked = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        return seed(SEED)(checked(given(items=st.lists(operation, min_size=1, max_size=most))(test)))

    return decorated


def tell() -> None:
    """Say with a failure where it can be had again."""
    note(f"SEEDER_TEST_SEED={SEED}")
