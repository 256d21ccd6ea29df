"""What came of taking a store back to its mark."""

from __future__ import annotations

from typing import Literal

from seeder.frozen import frozen

# What may be asked for: give back what changed while connections stay, or replace the store at once.
Way = Literal["in place", "swap"]

NO_MARK = "start one that can be taken back: `seeder up`, `seeder.up` or pytest mark the state, `seeder run` does not"


@frozen
class Rewound:
    """`way` is the one that was taken: where nothing had changed the store stays untouched, and in place becomes swap (why, says
    `because`) where what changed cannot be given back otherwise; anew: what the store holds was written again.

    `changed` names tables, sequences, keys and streams. `restart`: why clients have to be restarted, unless they reconnect by
    themselves; empty when they may go on. `notes`: what did not come back as it was.
    """

    way: Literal["untouched", "in place", "swap", "anew"]
    changed: tuple[str, ...] = ()
    because: str = ""
    restart: str = ""
    notes: tuple[str, ...] = ()


UNTOUCHED = Rewound("untouched")
