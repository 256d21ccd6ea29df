"""What embedded engines have ready below the cache (prepared data folders, copies of programs): when each was last used, and its end."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

from seeder.errors import EnvironmentFailed
from seeder.machine import home
from seeder.machine.lock import free

LOCK = ".lock"  # beside each folder; its time is that of the last use


def used() -> dict[str, datetime.datetime]:
    """When each was last used, of those that no process runs from."""
    locks = sorted(root.glob(f"*{LOCK}")) if (root := home.cache() / "engines").is_dir() else []
    busy = _programs() if locks else set()
    free = {str(folder): lock for lock in locks if not _runs_from(folder := lock.with_name(lock.name.removesuffix(LOCK)), busy)}
    return {name: datetime.datetime.fromtimestamp(lock.stat().st_mtime, datetime.UTC) for name, lock in free.items()}


def forget(name: str) -> None:
    """Remove it; who needs it makes it again. Raises EnvironmentFailed when somebody is at it."""
    folder = Path(name)
    lock = folder.with_name(f"{folder.name}{LOCK}")
    with free(lock) as ours:
        if not ours:
            raise EnvironmentFailed(name, "somebody makes or copies it")
        if _runs_from(folder, _programs()):
            raise EnvironmentFailed(name, "a process runs from it")
        for one in (folder, folder.with_name(f"{folder.name}.draft")):
            shutil.rmtree(one, ignore_errors=True)
        lock.unlink()


def _runs_from(folder: Path, programs: set[Path]) -> bool:
    return any(program.is_relative_to(folder) for program in programs)


def _programs() -> set[Path]:
    """Of every process that can be looked at."""
    import psutil

    return {Path(one.info["exe"]) for one in psutil.process_iter(["exe"]) if one.info["exe"]}
