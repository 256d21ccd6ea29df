"""How many examples the tests of rewinding try, and where they begin: SEEDER_TEST_REWINDS examples each, from SEEDER_TEST_SEED."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("SEEDER_TEST_REWINDS", "2"))
ENOUGH = 20  # examples, of which one does whatever a test is about
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


@contextmanager
def seeing(*wanted: str, examples: int = EXAMPLES) -> Iterator[set[str]]:
    """What came of the examples of a test is added to the set; after enough of them all that is wanted is in it: else nothing was tried."""
    seen: set[str] = set()
    yield seen
    assert examples < ENOUGH or seen >= set(wanted), f"{examples} examples changed nothing but {sorted(seen)}"


def tell() -> None:
    """Say with a failure where it can be had again."""
    note(f"SEEDER_TEST_SEED={SEED}")
