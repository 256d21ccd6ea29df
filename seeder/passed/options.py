"""What is done with an environment beside providing it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from seeder.definition.variant import Mutation
from seeder.frozen import frozen


@frozen
class Options:
    """What is done with the environment: run a command in it, keep it alive for `ttl`, give up after `timeout` seconds."""

    command: Sequence[str] = ()
    keep_good: bool = False
    keep_failed: bool = False
    ttl: datetime.timedelta = datetime.timedelta(hours=4)
    timeout: float | None = None
    marks: bool = False  # the environment can be taken back to the state in which it is handed over
    mutations: tuple[Mutation, ...] = ()  # what goes wrong with the scenario's events, one thing after another
