"""Who owns a run: the claim in its folder, by which a later seeder knows whether the run is alive, kept or left over."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from seeder.frozen import frozen
from seeder.machine import atomic, home
from seeder.machine.living import Identity, myself
from seeder.order import each
from seeder.passed.run import Place, Run, Swept
from seeder.protocols import Placed
from seeder.registry import RUNTIMES

FILE = "run.json"
State = Literal["alive", "kept", "expired", "orphan"]


@frozen
class Claim:
    """The run, what it is of, the seeder process that made it, until when a kept one lives, and where. `left`: a sweep left something of
    it that the next one would leave, too."""

    run: str
    project: str
    stack: str
    runtime: str
    checkout: Path
    expires: datetime.datetime
    process: Identity
    kept: bool = False
    left: bool = False
    place: Place | None = None

    def state(self, now: datetime.datetime) -> State:
        """A kept one lives until its time is up, any other one as long as the process that made it, however long that takes. Of a
        process of another machine or container nothing can be told from here but that its time is up."""
        if self.kept or not self.process.here:
            return "expired" if now >= self.expires else "kept" if self.kept else "alive"
        return "alive" if self.process.alive() else "orphan"

    def over(self, now: datetime.datetime) -> bool:
        return self.state(now) in ("expired", "orphan")

    def elsewhere(self) -> str | None:
        """Why it cannot be reached from here, when its runtime means another place now than the one where it lives. Raises
        SeederError when the one that is meant does not answer."""
        runtime = RUNTIMES.get(self.runtime)
        if self.place is None or not isinstance(runtime, Placed) or (now := runtime.place()).id == self.place.id:
            return None
        if now.reach == self.place.reach:
            return f"it does not live at {now.reach} any more; if that is lost for good, give it up: seeder down --force {self.run}"
        return f"it does not live at {now.reach}: set {self.place.reach}"


def claim(run: Run) -> Claim:
    """Make the run's folder and write down that it is this process's."""
    run.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Claim(run.id, run.project, run.stack, run.runtime, run.checkout, run.expires, myself(), place=run.place)
    _write(made, run.folder)
    return made


def keep(run: Run) -> None:
    """From now on the environment outlives this process, until it expires."""
    mine = read(run.id) or claim(run)
    _write(replace(mine, kept=True, expires=run.expires), run.folder)


def leave(run: str) -> None:
    """What is left of it, only those take up again who are asked to."""
    found = read(run)
    if found and not found.left:
        with contextlib.suppress(FileNotFoundError):  # another process removed the last of it
            _write(replace(found, left=True), home.run_folder(run))


def read(run: str) -> Claim | None:
    """The run's claim; None when there is no such run, or its claim is not whole."""
    try:
        data = json.loads((home.run_folder(run) / FILE).read_text(encoding="utf-8"))
        when = datetime.datetime.fromisoformat(data.pop("expires"))
        who, where = Identity(**data.pop("process")), data.pop("place", None)
        place = Place(**where) if where else None
        return Claim(**{**data, "checkout": Path(data["checkout"])}, expires=when, process=who, place=place)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def claims() -> Iterator[Claim]:
    """Every run that has a folder and a claim, by id; one that is being removed has none any more."""
    for folder in sorted(home.runs().glob("[!.]*")):
        if found := read(folder.name):
            yield found


def fragments(now: datetime.datetime) -> list[str]:
    """Runs of whose folder only a part is there: killed while it was removed, or an hour ago before its claim was written."""
    gone = [folder.name[1:-5] for folder in home.runs().glob(".*.gone")]
    nameless = [folder.name for folder in home.runs().glob("[!.]*") if _nameless(folder, now.timestamp() - 3600)]
    return sorted({*gone, *nameless})


def _nameless(folder: Path, before: float) -> bool:
    try:
        return not (folder / FILE).exists() and folder.stat().st_mtime < before
    except FileNotFoundError:  # its run ended meanwhile
        return False


def discard(run: str, removed: Sequence[str] = ()) -> Swept:
    """Remove the run's folder, whoever owns what is in it. It is renamed first, so that nothing finds half of it."""
    folder, gone = home.run_folder(run), home.runs() / f".{run}.gone"
    if not folder.exists() and not gone.exists():
        return Swept(tuple(removed))
    try:
        if folder.exists():
            folder.rename(gone / run if gone.exists() else gone)
        _remove(gone)
    except FileNotFoundError:  # another sweep of the same run is at it; who comes back from here may rely on it that nothing is left
        return discard(run, removed)
    except OSError as error:
        return Swept(tuple(removed), (f"folder {gone}: {error.strerror or error}",))
    return Swept((*removed, f"folder {folder}"))


def _remove(folder: Path) -> None:
    """A server's data is a thousand files, over which a disk takes its time: that of several servers goes at the same time."""
    each(map(str, folder.glob("data/*")), lambda data: shutil.rmtree(data, ignore_errors=True))
    try:
        shutil.rmtree(folder)
    except PermissionError:  # programs leave folders that even their owner may not write
        for path, _, _ in os.walk(folder):
            Path(path).chmod(0o700)
        shutil.rmtree(folder)


def _write(made: Claim, folder: Path) -> None:
    data = {**asdict(made), "checkout": str(made.checkout), "expires": made.expires.isoformat()}
    atomic.write(folder / FILE, json.dumps(data, indent=2) + "\n")
