"""The words for what may go wrong with a sequence of events."""

from __future__ import annotations

from typing import Final, Literal, get_args

Mutation = Literal["missing", "duplicated", "out_of_order", "late", "malformed", "replayed"]
MUTATIONS: Final[tuple[Mutation, ...]] = get_args(Mutation)
WHOLE: Final[frozenset[Mutation]] = frozenset({"replayed"})  # befalls a sequence; the others, one event of it
