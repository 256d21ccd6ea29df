"""A capability: what one team's generator can do for a scenario, as others see it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Literal

from seeder.errors import Mark
from seeder.frozen import frozen

Origin = Literal["services", "inserted"]
OURS: Final = "seeder"  # the owner of what comes with seeder itself: no team's promise
NAMES: Final = "x-names"  # in the shape of an input: of what it is the name, one of these
KINDS: Final = ("service", "store")
NOTHING: Final = "nothing"  # is to be undone of what it made


@frozen
class Capability:
    """`name` (`customers.create`) and `version` are what scenarios ask for; `owner` is told whatever goes wrong in it.

    `inputs` and `outputs` are JSON Schemas (2020-12) of objects. `origin`: records come about through services, or are inserted into a
    store. `key`: its requests carry an idempotency key that begins so; `finds`: it looks for what an earlier try made. With one of them
    it may be tried again after a try of which nobody knows what came of it. `undo` names the function that takes back what it made;
    `nothing` where there is nothing to take back, and empty where nobody can. `within` is the time limit of one try, in seconds. `mark`
    is where it is written, `digest` what all that it is made of amounts to; `known`: that tells what it does, so that what comes of it
    may be kept; `shared`: that it may be asked for where others are, too: what it touches is its own. `service` is the one of the stack
    that does it; `lacks` says why it cannot be asked on this machine.
    """

    name: str
    version: str
    owner: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    mark: Mark
    digest: str = ""
    contact: str = ""
    description: str = ""
    origin: Origin = "services"
    key: str | None = None
    finds: bool = False
    undo: str = ""
    within: float = 30.0
    service: str | None = None
    lacks: str = ""
    known: bool = True
    shared: bool = True

    @property
    def repeats(self) -> bool:
        """Whether a try of which nobody knows what came of it may be followed by another."""
        return self.key is not None or self.finds


def unique(seed: int, drawn: str, name: str, mark: str) -> str:
    """`name-` and ten letters and digits: a function of the seed, of what values are drawn by, and of the name; behind the run's mark,
    where it has one."""
    digest = hashlib.sha256("\0".join([str(seed), drawn, name]).encode()).digest()
    made = f"{name}-{base64.b32encode(digest).decode().lower()[:10]}"
    return f"{mark}-{made}" if mark else made


@frozen
class Write:
    """Something that was sent and may have changed what others keep. `by` is the request, where it was one."""

    what: str  # `POST /orders`
    by: object = field(default=None, compare=False)


@frozen
class Asked:
    """One try of one thing that a capability is asked for: the step, with its place where it is one of many (`products[1]`), and that
    place alone. `key`: by which its values are drawn, wherever its scenario is used. `writes`: what the try has sent so far that may have
    changed something, as it is told to people."""

    step: str
    index: int = 0
    key: str = ""
    writes: list[Write] = field(default_factory=list, compare=False)
