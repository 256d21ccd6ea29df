"""Port numbers of this machine, reserved for a run: not given to another run, of whatever seeder process, until it ends."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine import atomic, home
from seeder.machine.living import Identity, myself

# Below the range from which systems pick ports for outgoing connections: nothing takes one of these by chance.
FIRST, LAST = 18_000, 32_000

_held: dict[int, socket.socket] = {}
_marks: dict[int, socket.socket] = {}  # names without a file: as wide as ports are, and gone with their process


@frozen
class _Reservation:
    run: str
    owner: Identity

    def stale(self) -> bool:
        """Its process is dead, as far as can be told from here, and so is its run: a kept environment outlives its process, and
        has a folder."""
        return not self.owner.alive() and not home.run_folder(self.run).exists()


def reserve(run: str, count: int) -> list[int]:
    """That many free port numbers for the run, until `release`. Each call gives others.

    On Linux each is also held against programs that take any free port, by a socket that does not listen and lets servers bind beside it,
    until `let_go`; and, as long as this process lives, against runs that have another table (SEEDER_HOME): a server that starts takes a
    while until it binds, and one that is stopped to be kept comes back. Raises EnvironmentFailed when there are not enough.
    """
    with _table() as (taken, save):
        found: list[int] = []
        for port in _candidates(run):
            if len(found) == count:
                break
            if port not in taken and _hold(port):
                found.append(port)
        if len(found) < count:
            cause = f"no {count} free ports between {FIRST} and {LAST}: {len(taken)} are reserved by other runs"
            raise EnvironmentFailed("ports", cause, "end runs that are not needed (`seeder ls`, `seeder down`)")
        taken.update(dict.fromkeys(found, _Reservation(run, myself())))
        save(taken)
    return found


def release(run: str) -> list[int]:
    """Give back all ports of the run; answer which they were."""
    with _table() as (taken, save):
        mine = sorted(port for port, reservation in taken.items() if reservation.run == run)
        for port in mine:
            del taken[port]
            let_go(port)
            if mark := _marks.pop(port, None):
                mark.close()
        if mine:
            save(taken)
    return mine


def let_go(port: int) -> None:
    """Close the socket that holds the port, right before a server that may not share it binds; it stays reserved."""
    if held := _held.pop(port, None):
        held.close()


def holder(port: int) -> str | None:
    """Who listens on the port, as `pid 42 (postgres)`, as far as the system tells this user; None when nobody is seen."""
    import psutil

    try:
        found = [c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port]
    except psutil.Error:  # macOS tells root alone
        return None
    for pid in found:
        try:
            return f"pid {pid} ({psutil.Process(pid).name()})" if pid else "a process of another user"
        except psutil.Error:
            continue
    return None


def strays() -> list[str]:
    """Ports on which what was started from here listens although nobody gave it them, as `pid 42 (python3) listens on port 8000`."""
    import psutil

    try:
        ours = {child.pid: child.name() for child in psutil.Process().children(recursive=True)}
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid in ours]
    except psutil.Error:  # macOS tells root alone; and a process may end meanwhile
        return []
    found = sorted({(c.laddr.port, c.pid) for c in listening if c.laddr and c.pid})
    return [f"pid {pid} ({ours[pid]}) listens on port {port}" for port, pid in found if not FIRST <= port < LAST]


def _candidates(run: str) -> Iterator[int]:
    """Every port once. Runs start at different places, so that those with tables of their own (SEEDER_HOME) seldom meet."""
    span = LAST - FIRST
    start = int.from_bytes(hashlib.sha256(run.encode()).digest()[:4], "big")
    return (FIRST + (start + step) % span for step in range(span))


def _hold(port: int) -> bool:
    """Whether nobody has the port on any address of this machine; if so, hold it."""
    with socket.socket() as test:
        try:
            test.bind(("", port))
        except OSError:
            return False
    if sys.platform != "linux":  # elsewhere a server could not bind beside it, and there are no names like this
        return True
    with ExitStack() as undo:
        mark = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        held = undo.enter_context(socket.socket())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            mark.bind(f"\0seeder-port-{port}")
            held.bind(("127.0.0.1", port))
        except OSError:
            return False
        undo.pop_all()
    _marks[port], _held[port] = mark, held
    return True


@contextmanager
def _table() -> Iterator[tuple[dict[int, _Reservation], Callable[[dict[int, _Reservation]], None]]]:
    """The living reservations of this machine and a way to write them back, under a lock between processes."""
    import filelock

    path = home.cache() / "ports.json"
    with filelock.FileLock(path.with_suffix(".lock"), mode=0o600):
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):  # a torn file cannot be: it is replaced whole; an edited one can
            known = {}
        table = {int(port): _Reservation(run, Identity(*who)) for port, (run, *who) in known.items()}

        def save(new: dict[int, _Reservation]) -> None:
            lines = {str(port): (r.run, r.owner.pid, r.owner.started, r.owner.place) for port, r in sorted(new.items())}
            atomic.write(path, json.dumps(lines))

        yield {port: reservation for port, reservation in table.items() if not reservation.stale()}, save
