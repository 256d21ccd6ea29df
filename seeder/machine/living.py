"""Which processes are alive, which of them belong to a run, and ending those: by label and log file, never by name."""

from __future__ import annotations

import functools
import os
import platform
import signal
import sys
from collections.abc import Callable, Container, Iterator
from dataclasses import field
from pathlib import Path

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine.process import RUN_LABEL
from seeder.wait import READY, Verdict, not_yet, wait_for

LINUX = sys.platform == "linux"
GRACE_SECONDS = 1.5  # servers remove their shared memory when they are asked to end, and leave it when they are killed


@functools.cache
def _place() -> str:
    """This machine, and on Linux the container: its namespace of process numbers."""
    known = [Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")] if LINUX else []
    machine = next((text for path in known if path.is_file() and (text := path.read_text(encoding="ascii").strip())), platform.node())
    return f"{machine}/{Path('/proc/self/ns/pid').readlink()}" if LINUX else machine


@frozen
class Identity:
    """One process for good: its number, a mark of when it started, so that a reused number is not taken for it, and where numbers
    are so counted: another machine or container may share our folders."""

    pid: int
    started: str
    place: str = field(default_factory=_place)

    @property
    def here(self) -> bool:
        """Whether it can be told from here if it is alive."""
        return self.place == _place()

    def alive(self) -> bool:
        """Still running; a zombie is not."""
        return identity(self.pid) == self


@frozen
class Ended:
    """What a sweep of processes ended, and what outlived it; each as `pid 42 (postgres)`."""

    ended: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@frozen
class _Process:
    who: Identity
    parent: int
    session: int
    name: str

    def __str__(self) -> str:
        return f"pid {self.who.pid} ({self.name})"


def identity(pid: int) -> Identity | None:
    """The process with this number now, or None when there is none or it is a zombie."""
    found = _look(pid)
    return found.who if found else None


def myself() -> Identity:
    found = identity(os.getpid())
    assert found is not None, "a process that asks is alive"  # noqa: S101  (cannot be otherwise)
    return found


def sweep(run: str, folder: Path, *, grace: float = 0.0, within: float = 8.0) -> Ended:
    """End every process of the run: those with its label in their environment, those that write to a file below `folder`,
    and all in a session that one of them leads. The caller and its ancestors are spared.

    With `grace` they are asked first (SIGTERM) and have that many seconds. Processes may be born meanwhile: it looks until a
    look finds none, `within` seconds at most.
    """
    ended: dict[Identity, str] = {}
    find = functools.partial(belonging, run, folder)
    if grace and _until_none(find, ended, signal.SIGTERM, grace):
        return Ended(tuple(ended.values()))
    if _until_none(find, ended, signal.SIGKILL, within):
        return Ended(tuple(ended.values()))
    left = {process.who: str(process) for process in find()}
    return Ended(tuple(text for who, text in ended.items() if who not in left), tuple(left.values()))


def end(who: Identity, *, grace: float, within: float = 8.0) -> None:
    """End a process with all that it started, and what those started: they are asked first, and killed `grace` seconds later. What
    detached itself from them before is not among them."""
    ended: dict[Identity, str] = {}
    find = functools.partial(_descending, who, ended)
    if not _until_none(find, ended, signal.SIGTERM, grace):
        _until_none(find, ended, signal.SIGKILL, within)


def _descending(who: Identity, known: Container[Identity]) -> list[_Process]:
    """The process, those known to descend from it (their parents may be gone by now), and what descends from any of them."""
    everyone = list(_everyone())
    found = {process.who.pid for process in everyone if process.who == who or process.who in known}
    while more := {process.who.pid for process in everyone if process.parent in found} - found:
        found |= more
    return [process for process in everyone if process.who.pid in found]


def belonging(run: str, folder: Path) -> list[_Process]:
    """The run's processes, without the caller and its ancestors."""
    spared = _ancestry()
    everyone = [process for process in _everyone() if process.who.pid not in spared]
    prefix = f"{os.path.realpath(folder)}{os.sep}"
    label = f"{RUN_LABEL}={run}".encode()
    own = {process.who.pid for process in everyone if _is_labelled(process.who.pid, label) or _writes_below(process.who.pid, prefix)}
    return [process for process in everyone if process.who.pid in own or process.session in own]


def writes(file: Path) -> bool:
    """Whether a process that is alive has the file as its output."""
    return any(_writers(file))


def tell(file: Path, number: signal.Signals) -> None:
    """Signal every process that has the file as its output."""
    for process in list(_writers(file)):
        _signal(process.who, number)


def _writers(file: Path) -> Iterator[_Process]:
    wanted = os.path.realpath(file)
    return (process for process in _everyone() if _writes_below(process.who.pid, wanted))


def _until_none(find: Callable[[], list[_Process]], ended: dict[Identity, str], number: signal.Signals, within: float) -> bool:
    """Signal what is found and look again; true once a look at all processes finds none. That is dear, so those that were told are
    awaited before it."""
    told: set[Identity] = set()

    def look() -> Verdict:
        if left := sum(who.alive() for who in told):
            return not_yet(f"{left} processes left")
        found = find()
        for process in found:
            _signal(process.who, number)
            told.add(process.who)
            ended[process.who] = str(process)
        return not_yet(f"{len(found)} processes left") if found else READY

    try:
        wait_for("processes", look, within=within, first=0.01, longest=0.1)
    except EnvironmentFailed:
        return False  # the caller looks once more and names them
    return True


def _signal(who: Identity, number: signal.Signals) -> None:
    """Signal exactly this process. A pidfd keeps its number from being reused between the look and the signal."""
    try:
        if hasattr(os, "pidfd_open"):
            handle = os.pidfd_open(who.pid)
            try:
                if who.alive():
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)
        elif who.alive():
            os.kill(who.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # gone meanwhile, or not ours: the next look tells


def _ancestry() -> set[int]:
    result: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in result:
        result.add(pid)
        found = _look(pid)
        pid = found.parent if found else 0
    return result


# -- how a system tells; Linux is read directly, as a psutil.Process for each of hundreds costs fifty times as much -------


def _everyone() -> Iterator[_Process]:
    if LINUX:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        import psutil

        pids = psutil.pids()
    for pid in pids:
        if found := _look(pid):
            yield found


def _look(pid: int) -> _Process | None:
    return _look_linux(pid) if LINUX else _look_elsewhere(pid)


def _look_linux(pid: int) -> _Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    head, _, tail = text.rpartition(")")  # the name may hold spaces and brackets
    state, parent, _, session, *rest = tail.split()
    if state in "ZX":
        return None
    return _Process(Identity(pid, f"{_boot()}/{rest[15]}"), int(parent), int(session), head.partition("(")[2])


def _look_elsewhere(pid: int) -> _Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _Process(Identity(pid, f"{process.create_time():.2f}"), process.ppid(), os.getsid(pid), process.name())
    except (psutil.Error, OSError):
        return None


@functools.cache
def _boot() -> str:
    """Start times count from the boot: its id keeps an identity from being believed after the next one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _is_labelled(pid: int, label: bytes) -> bool:
    try:
        if LINUX:
            return label in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        import psutil

        name, _, value = label.decode().partition("=")
        return bool(psutil.Process(pid).environ().get(name) == value)
    except Exception as error:  # noqa: BLE001  (psutil.Error is not known before its import)
        return _not_mine(error)


def _writes_below(pid: int, prefix: str) -> bool:
    try:
        if LINUX:
            return any(_stream(pid, number).startswith(prefix) for number in (1, 2))
        import psutil

        return any(file.fd in (1, 2) and file.path.startswith(prefix) for file in psutil.Process(pid).open_files())
    except Exception as error:  # noqa: BLE001
        return _not_mine(error)


def _stream(pid: int, number: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/fd/{number}").readlink())
    except OSError:
        return ""


def _not_mine(error: Exception) -> bool:
    """A process that is gone, or that belongs to someone else, is none of the run's; any other error is a defect."""
    if isinstance(error, OSError) or type(error).__module__.startswith("psutil"):
        return False
    raise error
