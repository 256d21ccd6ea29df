"""One run: who owns what is created, what is run inside it, what is left of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from seeder.definition.stack import ATTACHED
from seeder.frozen import frozen

RUN, EXPIRES = "dev.seeder.run", "dev.seeder.expires"  # labels of all that belongs to a run: its id, and until when it may stay


@frozen
class Place:
    """One of several places where a runtime may create things: its `id` for good, and how a user reaches it (`NAME=value`)."""

    id: str
    reach: str


@frozen
class Run:
    """Who owns what is created: one run of one stack of one project.

    `folder` is the run's own folder, mode 0700, outside the checkout; `kept` environments live until `expires`. `place` says where it
    lives when the name of its runtime alone does not.
    """

    id: str
    project: str
    stack: str
    runtime: str
    folder: Path
    checkout: Path
    as_of: datetime.datetime
    seed: int
    expires: datetime.datetime
    place: Place | None = None

    @property
    def moment(self) -> str:
        """`as_of` as it is written everywhere: 2026-01-15T12:00:00Z."""
        return self.as_of.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")

    @property
    def mark(self) -> str:
        """By what things of this run are told from those of others in a system that they share; nothing where it has one of its own."""
        return f"sd-{self.id}" if self.runtime == ATTACHED else ""

    @property
    def told(self) -> dict[str, str]:
        """What services, tasks and the wrapped command are told, so that what they make up comes out the same again."""
        return {"SEEDER_AS_OF": self.moment, "SEEDER_SEED": str(self.seed)}

    @property
    def model(self) -> Path:
        """Where a runtime that uses compose keeps the resolved model that it gave to it; holds passwords, mode 0600."""
        return self.folder / "compose.resolved.json"

    @property
    def name(self) -> str:
        """The compose project's name on docker."""
        return f"seeder-{self.stack}-{self.id}"


@frozen
class Task:
    """A program that is run once inside the environment, as a service would run it: its image or folder, its environment
    with addresses that are right where it runs. `environment` is added to it; `host` runs it on the machine that runs
    seeder, with addresses as seen from there, in `cwd`."""

    label: str  # names its log
    command: tuple[str, ...]
    service: str
    environment: Mapping[str, str] = field(default_factory=dict)
    host: bool = False
    cwd: Path | None = None
    timeout: float = 600.0
    remedy: str = "see its log"  # when the time limit is reached


@frozen
class Addition:
    """What config datasets add to one service before it starts: variables, and files (absolute path as the service sees it
    -> file on this machine)."""

    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


NO_ADDITIONS: Mapping[str, Addition] = {}


@frozen
class Swept:
    """What a sweep removed, and what it could not (each as a sentence). `lasting`: another look at once would leave the same; `busy`:
    another process is about to remove it."""

    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    lasting: bool = False
    busy: bool = False
