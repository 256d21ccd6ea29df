"""How an engine is started: as a container, as a process."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from seeder.frozen import frozen


@frozen
class Launch:
    """What a container runtime must know of an engine: its port, and the paths where the image keeps state. `moved` are variables
    by which the image keeps all of it elsewhere, outside of volumes, so that a stopped container holds the state; none when it
    cannot be told to."""

    port: int
    data: tuple[str, ...]
    moved: Mapping[str, str] = field(default_factory=dict)


@frozen
class LocalLaunch:
    """How an engine runs as a process. `{host} {port} {data}` are filled in in commands and files, other braces stay; paths in
    `files` and `given` are relative to the data folder. `files` are written (mode 0600) before the start; `given` before `prepare`, and
    they are gone once that is done. `prepare` depends on nothing but `program` and `given`: the folder after it may be kept and copied
    for the next server of the same."""

    program: str  # what runs, with its version and origin; shown in the plan
    command: tuple[str, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()  # folders that the process must be able to read
    refuses_root: bool = False
    keeps: bool = False  # after a clean stop the data folder is the whole state, and another server of this `program` takes it up
    stop: signal.Signals = signal.SIGTERM
    notes: tuple[str, ...] = ()  # what of the service's definition this process does not honour; the plan names it
