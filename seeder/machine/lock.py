"""Locks that processes hold against each other: files, which the system releases when their holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seeder.wait import READY, Verdict, not_yet, wait_for

if TYPE_CHECKING:
    from filelock import BaseFileLock


def taken(lock: BaseFileLock, otherwise: str = "") -> Verdict:
    """One try to take a lock that other processes may hold: ready is that it is ours now; `otherwise` says what they do with it."""
    import filelock

    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return not_yet(otherwise)
    return READY


@contextmanager
def free(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock file; then it is ours for as long as this lasts."""
    import filelock

    lock = filelock.FileLock(path, mode=0o600)
    ours = taken(lock) == READY
    try:
        yield ours
    finally:
        if ours:
            lock.release()


@contextmanager
def locked(path: Path, subject: str, busy: str, *, within: float, remedy: str) -> Iterator[None]:
    """Hold the lock file, which other processes may hold for short: `busy` says what they do with it. Raises EnvironmentFailed after
    `within` seconds."""
    import filelock

    lock = filelock.FileLock(path, mode=0o600)
    wait_for(subject, lambda: taken(lock, busy), within=within, first=0.01, longest=0.1, remedy=remedy)
    try:
        yield
    finally:
        lock.release()
