"""Layers: states with an id, how a server comes to them, and what is kept of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from seeder.frozen import frozen

PORTABLE: Final = "portable"  # the form that engines save themselves and that any runtime reads
DATA: Final = "/var/lib/seeder"  # below it servers in containers keep what they would keep in a volume, so that their images hold it
SET: Final = "set"  # the form of a set's manifest; it is kept when all of its members are


@frozen
class State:
    """One state on a server's way: `id` names it, `subject` what leads to it (a revision, a dataset) in `store`, `files` what that is.
    A dataset that goes in at the heads names no store: it may be for several.

    `kept` ones are worth keeping: the head of the migrations, the data at rest. The others have an id, so that a history that goes
    on from a kept state is found.
    """

    id: str
    verb: Literal["migrate", "load"]
    store: str
    subject: str
    inputs: Mapping[str, str] = field(default_factory=dict, compare=False)  # what decides it, by name: digests and short values
    files: tuple[Path, ...] = field(default=(), compare=False)
    kept: bool = False


@frozen
class Chain:
    """How one server comes to its state at rest: its stores' revisions, then the datasets, in the order in which they apply.

    `form` is how its states are kept, `where` the layer store that keeps them. `unkept` says why nothing beyond its states can be
    told, and so nothing of it is kept.
    """

    server: str
    base: str
    form: str
    where: str
    states: tuple[State, ...] = ()
    unkept: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict, compare=False)  # what decides how it begins

    @property
    def physical(self) -> bool:
        """Whether the state is kept as the server's own files; else as its engine saves it."""
        return self.form != PORTABLE

    def key(self, state: State) -> str:
        return key(state.id, self.form)

    @property
    def end(self) -> str:
        """The id of the server's state at rest."""
        return self.states[-1].id if self.states else self.base


@frozen
class Layer:
    """A state that is kept: the form of its bytes and the `place` where they are (a folder, an image). `facts` is what was known
    when it was made: what it is of, the tables that were loaded, how its secrets are told. `where` names the layer store that has it,
    `own` says whether it was made from this machine's cache or comes of another that uses the same engine; on one that is `deep`
    nothing more is put: it is made of so many images already that an engine would soon take no further one."""

    id: str
    form: str
    place: str
    size: int
    made: datetime.datetime
    used: datetime.datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    where: str = "directory"
    own: bool = True
    deep: bool = False

    @property
    def key(self) -> str:
        return key(self.id, self.form)


def key(state: str, form: str) -> str:
    """Names a layer in one form: `<id>.<form>`, fit for a file name and an image tag (114 characters at most)."""
    return f"{state}.{form}"


@frozen
class Base:
    """A set that is on the way to another: that of a scenario which is used, after so many of the plan's calls."""

    scenario: str
    calls: int
    id: str


@frozen
class Begin:
    """Where a server begins: at a layer, which stands for as many states of its chain as `place` says."""

    layer: Layer
    place: int
