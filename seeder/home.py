"""Where seeder keeps what belongs to the machine: run folders (state) and prepared engines (cache). SEEDER_HOME moves both."""

from __future__ import annotations

import errno
import os
from pathlib import Path

VARIABLE = "SEEDER_HOME"


def runs() -> Path:
    """The folder that holds one folder per run alive or kept; created with mode 0700."""
    return _made(_base("state") / "runs")


def cache() -> Path:
    """The folder for what can be made again; created with mode 0700."""
    return _made(_base("cache"))


def run_folder(run: str) -> Path:
    """The run's own folder; it may not exist."""
    return runs() / run


def _base(kind: str) -> Path:
    if given := os.environ.get(VARIABLE):
        return Path(given).expanduser().absolute() / kind
    import platformdirs

    return platformdirs.user_state_path("seeder") if kind == "state" else platformdirs.user_cache_path("seeder")


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileNotFoundError as error:  # of /proc and its like
        raise OSError(errno.ENOTDIR, "no folder can be made there", str(folder)) from error
    return folder
