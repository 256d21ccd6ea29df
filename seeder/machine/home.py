"""Where seeder keeps what belongs to the machine: run folders (state) and prepared engines (cache). SEEDER_HOME moves both."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from seeder.errors import EnvironmentFailed, UsageError
from seeder.machine import atomic

VARIABLE = "SEEDER_HOME"
CHOICE = f"{VARIABLE} names another place for all of it"


def runs() -> Path:
    """The folder that holds one folder per run alive or kept; created with mode 0700."""
    return _made(_base("state") / "runs")


def cache() -> Path:
    """The folder for what can be made again; created with mode 0700."""
    return _made(_base("cache"))


def name() -> str:
    """What this cache is called among all that use a Docker engine."""
    path = cache() / "name"
    if not path.exists():
        atomic.write(path, secrets.token_hex(8))
    return path.read_text(encoding="utf-8")


def locks() -> Path:
    """The folder of locks, one for each state or image that is being built."""
    folder = cache() / "building"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def run_folder(run: str) -> Path:
    """The run's own folder; it may not exist."""
    return runs() / run


def _base(kind: str) -> Path:
    if given := os.environ.get(VARIABLE):
        place = Path(given).expanduser()
        if not place.is_absolute():
            cause = "it is a relative path, and would be another folder wherever seeder is called"
            raise UsageError(f"{VARIABLE}={given}", cause, "write the whole path, as `pwd` tells it")
        return place / kind
    import platformdirs

    return platformdirs.user_state_path("seeder") if kind == "state" else platformdirs.user_cache_path("seeder")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileNotFoundError as error:  # of /proc and its like
        raise OSError(errno.ENOTDIR, "no folder can be made there", str(folder)) from error
    except FileExistsError as error:
        raise _occupied(Path(error.filename)) from error
    return folder


def _occupied(place: Path) -> EnvironmentFailed:
    """Something that is no folder stands where one should be."""
    cause, remedy = "it is no folder, and seeder needs one of that name", "remove or rename it"
    if place.is_symlink():
        cause = f"it is a link to {place.parent / place.readlink()}, which is not there"
        remedy = "make that folder, or remove the link"
    return EnvironmentFailed(str(place), cause, f"{remedy}; {CHOICE}")
