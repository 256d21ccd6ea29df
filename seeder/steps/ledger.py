"""What was created where: written before the call, confirmed after it. One JSON line for each change of an entry."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen

FILE: Final = "ledger.jsonl"
DATA: Final = "data"  # stands for the capability of an entry of rows that a dataset put in
State = Literal["begun", "confirmed", "failed", "unknown", "undone"]


@frozen
class Entry:
    """One thing that a capability was asked to make. `begun`: nobody knows yet whether it was made; `unknown`: nobody ever will; `failed`:
    nothing was made; `undone`: it was taken back. `made` is what it answered, `given` what it was given (as it is: bundles get it without
    secrets); `after` are the steps that it builds on, `index` its place among many, `key` by which
    its values were drawn. `at`: when it was begun, in seconds since 1970."""

    id: str  # step, with its place where it is one of many: `products[1]`
    capability: str
    version: str
    owner: str
    origin: str
    state: State = "begun"
    given: Mapping[str, Any] = field(default_factory=dict)
    made: Any = None
    after: tuple[str, ...] = ()
    reason: str = ""
    index: int = 0
    at: float = 0.0
    key: str = ""

    @property
    def step(self) -> str:
        """The step's name without its place."""
        return self.id.partition("[")[0]


class Ledger:
    """A run's entries, in the order in which they were begun; what is written is on the disk before anybody goes on."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._entries = {entry.id: entry for entry in read(folder)}

    @property
    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def last(self, name: str) -> Entry:
        """The entry as it is now."""
        return self._entries[name]

    def begin(self, entry: Entry) -> None:
        """Before the call: from now on somebody may have made it."""
        self._write(entry)

    def ended(self, name: str, state: State, *, made: Any = None, reason: str = "") -> None:
        """After the call: what is known of it."""
        before = self._entries[name]
        self._write(replace(before, state=state, made=before.made if made is None else made, reason=reason))

    def _write(self, entry: Entry) -> None:
        line = json.dumps(asdict(entry), ensure_ascii=False, default=str) + "\n"
        with self._lock:
            new = not self._path.exists()
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _cut(handle)
                _append(handle, line.encode())
            finally:
                os.close(handle)
            if new:
                _keep_name(self._path.parent)
            self._entries[entry.id] = entry


def _cut(handle: int) -> None:
    """Away with a last line that was cut short: it counts as not written, and the next one must not continue it."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.truncate(handle, os.pread(handle, size, 0).rfind(b"\n") + 1)


def _append(handle: int, line: bytes) -> None:
    while line:
        line = line[os.write(handle, line) :]
    os.fsync(handle)


def _keep_name(folder: Path) -> None:
    """A new file is found again after a crash only when its folder is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(folder: Path) -> list[Entry]:
    """The entries of a run's folder as they were last; a last line that was cut short counts as not written. Raises EnvironmentFailed for
    a line that no ledger of this version has."""
    found: dict[str, Entry] = {}
    try:
        lines = (folder / FILE).read_bytes().split(b"\n")  # what was cut short may end within a letter
    except FileNotFoundError:
        return []
    for number, line in enumerate(lines[:-1], 1):
        try:
            given = json.loads(line)
            found[given["id"]] = Entry(**{**given, "after": tuple(given["after"])})
        except (ValueError, KeyError, TypeError) as error:
            cause = f"line {number} is none that this version of seeder writes: {error}"
            remedy = "use the version that began the run; `seeder down --force RUN` gives it up"
            raise EnvironmentFailed(str(folder / FILE), cause, remedy) from None
    return list(found.values())
