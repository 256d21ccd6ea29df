"""As whom a program runs that refuses to run as root: root of another name in a user namespace, or nobody.

No user is made. The folders of the run and the cache are opened to nobody's group as far as it must pass through them; where
a folder above them is closed (a home of mode 0700), the program keeps one capability of root's: to search folders.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seeder.errors import EnvironmentFailed, UsageError
from seeder.frozen import frozen
from seeder.machine import home, process
from seeder.machine.folder import copy_folder, locked
from seeder.passed.launch import LocalLaunch
from seeder.runtimes import _local_launcher

VARIABLE = "SEEDER_LOCAL_ROOT"
_LAUNCHER = (sys.executable, "-I", "-S", str(Path(_local_launcher.__file__)))
_NOBODY = 65534


@frozen
class Guise:
    """`prefix` goes before the program's words, `owner` (user, group) owns its folder, `moved` are folders it reads elsewhere."""

    name: str = "itself"
    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None
    moved: tuple[tuple[str, str], ...] = ()

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        return (*self.prefix, *(self._elsewhere(word) for word in words))

    def own(self, *paths: Path) -> None:
        """Hand paths that seeder made to whom the program runs as."""
        for path in paths if self.owner else ():
            os.chown(path, *self.owner, follow_symlinks=False)  # type: ignore[misc]  # mypy forgets the test above

    def _elsewhere(self, word: str) -> str:
        for here, there in self.moved:
            word = word.replace(here, there)
        return word


def guise(launch: LocalLaunch, data: Path) -> Guise:
    """How the program runs on its data folder, which exists. Raises EnvironmentFailed when no way is open."""
    if not launch.refuses_root or os.geteuid() != 0:
        return Guise()
    forced = os.environ.get(VARIABLE, "")
    if forced not in {"", "namespace", "nobody"}:
        raise UsageError(VARIABLE, f"{forced!r} is not a way to run as root", "set it to namespace or nobody, or not at all")
    if forced == "namespace" or (not forced and namespaces()):
        return Guise("namespace", (*_LAUNCHER, "namespace", str(_inner_user()), "--"))
    return _nobody(launch, data)


def _nobody(launch: LocalLaunch, data: Path) -> Guise:
    user, group = _nobody_ids()
    os.chown(data, user, group)
    _open_to(group, data.parent, upto=home.runs())
    for mode in ("user", "search"):
        whoever = Guise("nobody", (*_LAUNCHER, mode, str(user), str(group), "--"), (user, group))
        if _can(whoever, [data]):
            closed = [folder for folder in launch.reads if not _can(whoever, [folder, *folder.glob("bin/*")])]
            return replace(whoever, moved=tuple((str(folder), str(_copied(folder, group))) for folder in closed))
    remedy = f"set {home.VARIABLE} to a folder that every user can reach"
    raise EnvironmentFailed(launch.program, f"it refuses to run as root, and user {user} cannot reach {data}", remedy)


@functools.cache
def namespaces() -> bool:
    """Whether this machine lets a user namespace be made (a container's seccomp profile may not)."""
    if sys.platform != "linux":
        return False
    return process.run([*_LAUNCHER, "namespace", str(_inner_user()), "--", "true"], timeout=10).code == 0


def _inner_user() -> int:
    """Any user of this machine but root: initdb looks its own up."""
    return next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), 1000)


def _nobody_ids() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid


def _open_to(group: int, folder: Path, upto: Path) -> None:
    """Let a group pass through our own folders, not list them."""
    while folder.is_relative_to(upto):
        os.chown(folder, -1, group)
        folder.chmod(0o710)
        folder = folder.parent


def _can(whoever: Guise, paths: Sequence[Path]) -> bool:
    """Whether it can read the paths, pass through those that are folders and run those that are programs."""
    tests = [("-r", str(path)) for path in paths] + [("-x", str(path)) for path in paths if path.stat().st_mode & 0o111]
    words = [word for test in tests for word in ("-a", *test)][1:]
    return process.run([*whoever.prefix, "test", *words], timeout=10, cwd=Path("/")).code == 0


def _copied(folder: Path, group: int) -> Path:
    """A copy of a folder of programs below the cache that every user can read; made once for each state of the folder."""
    state = folder.stat()
    key = hashlib.sha256(f"{folder} {state.st_mtime_ns} {state.st_ino}".encode()).hexdigest()[:16]
    target = home.cache() / "engines" / f"{folder.name}-{key}"
    with locked(target) as made:
        if not made:
            draft = target.with_name(f"{target.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            copy_folder(folder, draft)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            draft.rename(target)
    _open_to(group, target.parent, upto=home.cache())
    return target
