"""How a capability ends when it does not end well: what it raises, and what becomes of the step."""

from __future__ import annotations

from seeder.definition.duration import seconds


class Badly(TypeError):
    """A generator that is written so that seeder cannot use it, or that answers what it does not declare."""


class Outcome(Exception):
    """Base of the three; `reason` is told with the capability, its owner and its inputs."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TryAgain(Outcome):
    """Not now: nothing was made, and it may work `after` so many seconds (a duration such as "2s" or a number). Raises ValueError for
    what is neither."""

    def __init__(self, reason: str, after: str | float = 0.5) -> None:
        self.after = seconds(after) if isinstance(after, str) else after
        if not (isinstance(self.after, int | float) and 0 <= self.after < float("inf")):
            raise ValueError(f"TryAgain: after is a duration such as 2s, or a number of seconds from 0, and {after!r} is neither")
        super().__init__(reason)


class Never(Outcome):
    """It will not work with these inputs, however often it is tried: nothing was made."""


class DependencyFailed(Outcome):
    """What it needs of somebody else does not work: `who` is a service, a team, a system outside of the stack."""

    def __init__(self, who: str, reason: str) -> None:
        self.who = who
        super().__init__(f"{who}: {reason}")
