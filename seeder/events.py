"""What happens during a run, as typed events, and the journal that keeps them. The core emits; callers show."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from seeder.frozen import frozen


@frozen
class Event:
    """Base of all events; `kind` is its name in the journal."""

    kind: ClassVar[str] = "event"


@frozen
class RunStarted(Event):
    """A run begins, of what and with which choices."""

    kind: ClassVar[str] = "run.started"
    run: str
    project: str
    stack: str
    runtime: str
    scenario: str | None
    seed: int
    as_of: str
    policy: str


@frozen
class StageStarted(Event):
    """A stage begins: images, start, migrate, restore, keep, load, mark, gate, act, digest, variants, command, snapshot, teardown."""

    kind: ClassVar[str] = "stage.started"
    stage: str


@frozen
class StageEnded(Event):
    """A stage is over; `ok` says whether the next may begin."""

    kind: ClassVar[str] = "stage.ended"
    stage: str
    seconds: float
    ok: bool
    interrupted: bool = False  # by a signal


@frozen
class Progress(Event):
    """Something about one subject (a service, a store, a dataset) changed: `state` is one word, `detail` free text."""

    kind: ClassVar[str] = "progress"
    stage: str
    subject: str
    state: str
    detail: str = ""
    seconds: float | None = None

    @property
    def ended(self) -> bool:
        """Whether the subject has come to an end in its stage; some states say so without telling how long it took."""
        return self.seconds is not None or self.state in {"built", "created", "left", "prepared", "pulled", "refused", "undone"}


@frozen
class Noticed(Event):
    """Something the user should know and that does not stop the run."""

    kind: ClassVar[str] = "notice"
    subject: str
    message: str
    remedy: str = ""


@frozen
class Waited(Event):
    """A state was waited for, `limit` seconds at most. `ending`: it was `there` after so many looks and seconds, or `late`, or one came
    that is not allowed on the way (`strange`), or the look itself failed (`broken`). `seen`: every state on the way, `shown` as text, from
    its `first` to its `last` look, in seconds since it was begun."""

    kind: ClassVar[str] = "waited"
    subject: str
    ending: str
    limit: float
    seconds: float
    looks: int
    seen: list[dict[str, Any]]


@frozen
class WasReset(Event):
    """Stores were taken back to the state in which the environment was handed over; `changed` had been written to."""

    kind: ClassVar[str] = "environment.reset"
    changed: list[str]
    seconds: float


@frozen
class WasRestored(Event):
    """Stores were taken back to a snapshot that was taken of the environment."""

    kind: ClassVar[str] = "environment.restored"
    bundle: str
    seconds: float


@frozen
class Loaded(Event):
    """The records of a dataset are in one of its stores."""

    kind: ClassVar[str] = "dataset.loaded"
    dataset: str
    version: str
    store: str
    records: int
    origin: str = "inserted"  # or `services`, through whose API they came


@frozen
class Made(Event):
    """A capability was asked for one thing, and what came of it: `confirmed`, `failed` or `unknown`. `origin`: how its records came."""

    kind: ClassVar[str] = "step.made"
    step: str
    capability: str
    version: str
    owner: str
    origin: str
    state: str
    seconds: float


@frozen
class Digested(Event):
    """What the stores hold: one digest for all, and that of each; of an environment that came from a bundle, those that differ from it."""

    kind: ClassVar[str] = "digest"
    digest: str
    stores: dict[str, str]
    differing: list[str] | None = None


@frozen
class Refused(Event):
    """A gate's finding."""

    kind: ClassVar[str] = "gate.refused"
    gate: str
    subject: str
    cause: str


@frozen
class Failed(Event):
    """Why the run will not end well."""

    kind: ClassVar[str] = "failed"
    # The failure class: usage, definition, environment, gate, timeout, leftover, signal; command, command not found, command not
    # executable; internal, a mistake of seeder's own.
    failure: str
    message: str


@frozen
class BundleKept(Event):
    """The evidence of a failure was saved."""

    kind: ClassVar[str] = "bundle.kept"
    path: str
    reason: str


@frozen
class CommandEnded(Event):
    """The wrapped command is over."""

    kind: ClassVar[str] = "command.ended"
    code: int
    seconds: float


@frozen
class Cleaned(Event):
    """Teardown took a look: `left` names what could not be removed."""

    kind: ClassVar[str] = "cleaned"
    removed: int
    left: tuple[str, ...] = ()


@frozen
class RunEnded(Event):
    """The run is over: its code, and what decided it."""

    kind: ClassVar[str] = "run.ended"
    code: int
    ended_by: str
    seconds: float
    split: dict[str, float]


Emit = Callable[[Event], None]

EVENTS: tuple[type[Event], ...] = (
    RunStarted, StageStarted, StageEnded, Progress, Noticed, Waited, WasReset, WasRestored, Loaded, Made, Digested, Refused, Failed,
    BundleKept, CommandEnded, Cleaned, RunEnded,
)  # fmt: skip


def as_json(event: Event) -> dict[str, Any]:
    """The event's published form: its kind and its fields."""
    return {"event": event.kind, **dataclasses.asdict(event)}


class Journal:
    """Appends every event to `events.jsonl`, with the time since the run's start (`t`, seconds) and the wall clock (`at`, UTC)."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"t": round(time.monotonic() - self._start, 3), "at": at, **as_json(event)}, ensure_ascii=False)
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._file.flush()

    def close(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # a full disk: the last lines are lost, the file is closed
            self._file.close()
