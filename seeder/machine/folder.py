"""Folders that are made once and copied often: made beside, and renamed as the last act, so that nobody finds half of one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seeder.errors import EnvironmentFailed, said_full
from seeder.machine import process

_COPY = ("cp", "-Rpc") if sys.platform == "darwin" else ("cp", "-a", "--reflink=auto")
_PLAIN_COPY = ("cp", "-Rp") if sys.platform == "darwin" else ("cp", "-a")


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock, whose time is that of the last use; tells whether the folder is there. Who finds it missing makes it
    beside and renames it as the last act."""
    import filelock

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock")
    with filelock.FileLock(lock):
        lock.touch()
        yield folder.is_dir()


def copy_folder(source: Path, target: Path) -> None:
    """A copy with owners, modes and links, sharing blocks where the file system can. Never hard links: servers write in place."""
    target.mkdir(mode=0o700, exist_ok=True)
    done = process.run([*_COPY, f"{source}/.", str(target)], timeout=600)
    if done.code != 0:  # an older cp, or a file system without clones
        done = process.run([*_PLAIN_COPY, f"{source}/.", str(target)], timeout=600)
    if done.code != 0:
        if full := said_full(done.output):
            raise full
        raise EnvironmentFailed(str(target), f"cannot be copied from {source}: {done.tail(3)}", "make room on the disk (`seeder doctor`)")


def folder_size(folder: Path) -> int:
    """Bytes of all files below it."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
