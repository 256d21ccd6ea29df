"""What a runtime says before anything starts: of a definition, of this machine."""

from __future__ import annotations

from typing import Literal

from seeder.errors import Mark
from seeder.frozen import frozen


@frozen
class Notice:
    """What a runtime says of a service before anything starts: refused (the plan ends) or noted (the plan names it)."""

    subject: str
    message: str
    remedy: str = ""
    refused: bool = False
    other: bool = False  # another major version runs than the definition names: a run says so, too
    mark: Mark | None = None  # where it was written, if that is not where the service stands


@frozen
class Diagnosis:
    """One thing that a runtime needs of this machine, and how it stands."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    finding: str
    remedy: str = ""
