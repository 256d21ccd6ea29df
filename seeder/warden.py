"""Outlives a seeder that is killed, and removes what its run left: the wrapped command, every process, then what the runtime owns.

One small process per run, in a session of its own and without the run's label. It sleeps on a pipe whose other end only its
seeder holds, and wakes when that closes: after a word (`dismiss`, `keep`) it goes away, without one it sweeps.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime

    from seeder.owner import Claim
    from seeder.passed.run import Run, Swept

# Nothing of seeder is imported above: a warden that only waits stays small.

DISMISS, KEEP = b"d", b"k"
KILLED = 128 + signal.SIGKILL
_LEAVE_SECONDS = 10.0
PATIENCE = (30.0, 60.0)  # seconds for a sweep, and the rest where nothing refuses to go on a machine that has too much to do


class Warden:
    """The seeder's end."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def dismiss(self) -> None:
        """Everything is gone: nothing is left to watch."""
        self._leave(DISMISS)

    def keep(self) -> None:
        """The environment stays, until someone takes it down or it expires."""
        self._leave(KEEP)

    def _leave(self, word: bytes) -> None:
        """Say the word, once, and wait until the process is gone. One that died before has nothing to say to it."""
        pipe = self._child.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            pipe.write(word)
            pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on by itself
            self._child.wait(_LEAVE_SECONDS)


def watch(run: Run, results: Path | None = None) -> Warden:
    """Write down that the run is ours, and start its warden. If it has to act it writes `result.json` into `results`."""
    from seeder import owner
    from seeder.machine import interrupt, process

    owner.claim(run)
    environment = {name: value for name, value in process.of_seeder().items() if name != process.RUN_LABEL}
    words = json.dumps([run.id, run.runtime, os.getpid(), str(results) if results else None, interrupt.SIGNALS])
    command = [sys.executable, "-P", "-m", "seeder.warden", words]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, interrupt.SIGNALS)  # inherited: deaf from its first instruction on
    try:
        child = process.start(command, cwd=Path("/"), environment=environment, stdin=subprocess.PIPE, output=subprocess.DEVNULL)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Warden(child)


def sweep(run: str, runtime: str, *, anywhere: bool = False, passing: bool = False) -> Swept:
    """Remove all that the run owns, and look again until two looks in a row find nothing; the folder goes last.

    Something may be created between a look and the end of its creator (a container, on its way while compose is killed). A run that
    lives at another place than the one that answers now is left alone, unless `anywhere` says that its own is lost; then what cannot be
    taken back is told for the last time, and given up. Who is `passing` does not wait for another process that removes it.
    """
    from dataclasses import replace

    from seeder import owner
    from seeder.errors import EnvironmentFailed, SeederError
    from seeder.passed.run import Swept
    from seeder.wait import READY, Verdict, never, not_yet, wait_for

    claim = None if anywhere else owner.read(run)
    with contextlib.suppress(SeederError):  # one that does not answer is asked again below
        if claim and (reason := claim.elsewhere()):
            return Swept(left=(reason,))
    removed: list[str] = []
    last = Swept()
    empty = 0

    def look() -> Verdict:
        nonlocal last, empty
        last = _once(run, runtime, claim, anywhere=anywhere)
        removed.extend(last.removed)
        told = ", ".join(last.left)
        if last.left and (last.lasting or (last.busy and passing)):
            return never(told)
        empty = 0 if last.removed or last.left else empty + 1
        return READY if empty == 2 else not_yet(told or "something was still there")  # noqa: PLR2004  (two looks)

    for within in PATIENCE:
        with contextlib.suppress(EnvironmentFailed):
            wait_for(f"run {run}", look, within=within, first=0.05, longest=1.0)
            return Swept(tuple(removed))
        if last.left and (passing or not last.busy):
            break
    if last.left and last.lasting:
        owner.leave(run)
    return replace(last, removed=tuple(removed), left=last.left or ("what it owns, of which there was more at every look",))


def _once(run: str, runtime: str, claim: Claim | None, *, anywhere: bool) -> Swept:
    from seeder import owner
    from seeder.errors import SeederError
    from seeder.machine import home, living
    from seeder.passed.run import Swept
    from seeder.registry import RUNTIMES

    ended = living.sweep(run, home.run_folder(run), grace=living.GRACE_SECONDS)
    if ended.left:
        return Swept(ended.ended, ended.left)
    try:
        if claim and (reason := claim.elsewhere()):
            return Swept(ended.ended, (reason,))
        swept = RUNTIMES.get(runtime).sweep(run)
    except SeederError as error:  # its daemon does not answer; the claim stays, so that a later start finds the run
        return Swept(ended.ended, (str(error.problems[0]),))
    given_up = anywhere and swept.lasting
    folder = Swept() if swept.left and not given_up else owner.discard(run)
    return Swept((*ended.ended, *swept.removed, *folder.removed), (*swept.left, *folder.left), swept.lasting, swept.busy)


def sweep_expired(now: datetime.datetime, *, passing: bool = False) -> list[tuple[str, Swept]]:
    """Sweep every run of this machine that is over: its seeder died and did not keep it, or its time is up; then what runtimes
    own of runs that nobody here knows, once the expiry on its label is past. By claim, label and time, never by name.

    Who is `passing` has other things to do: a run that another process removes is left to that one, and one of which something was left
    for good to those who are asked to take it up.

    Answers each run with what was removed, and what was left because its runtime does not answer now, or whatever else is wrong with it.
    """
    from seeder import owner
    from seeder.errors import SeederError
    from seeder.passed.run import Swept
    from seeder.registry import RUNTIMES

    known = {claim.run: claim for claim in owner.claims()}
    over = {run: claim.runtime for run, claim in known.items() if claim.over(now) and not (passing and claim.left)}
    silent: dict[str, str] = {}
    for name in RUNTIMES.names():
        try:
            unknown = {run: expires for run, expires in RUNTIMES.get(name).owners().items() if run not in known}
        except SeederError as error:  # its daemon is not there or wavers; what is wanted now may need another one, or none
            silent[name] = error.problems[0].cause
            continue
        over |= {run: name for run, expires in unknown.items() if expires is not None and expires <= now}

    def swept(run: str, runtime: str) -> Swept:
        if runtime in silent:
            return Swept(left=(silent[runtime],))
        try:
            return sweep(run, runtime, passing=passing)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with one run, others are swept, and new ones begin)
            return Swept(left=(f"{type(error).__name__}: {error}",))

    result = [(run, swept(run, runtime)) for run, runtime in sorted(over.items())]
    return result + [(run, owner.discard(run)) for run in owner.fragments(now)]


# -- the process --------------------------------------------------------------------------------------------------------


def main() -> None:
    run, runtime, parent, results, deaf = json.loads(sys.argv[1])
    for number in deaf:  # who wants the run gone asks seeder; this one is its last resort
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, deaf)
    if _word(parent) in {DISMISS, KEEP}:
        return
    swept = sweep(run, runtime)
    if results:
        _write(Path(results) / "result.json", run, swept)


def _word(parent: int) -> bytes:
    """What the parent says, or nothing once it is dead. A process that it forked may hold the pipe open, so it is watched too."""
    dead = _death(parent)
    if dead is not None:
        import select

        select.select([sys.stdin.fileno(), dead], [], [])
        os.set_blocking(sys.stdin.fileno(), False)
    try:
        return os.read(sys.stdin.fileno(), 1)
    except BlockingIOError:
        return b""


def _death(parent: int) -> int | None:
    """Something to select on that becomes readable when the parent dies, where the system has it."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        handle = os.pidfd_open(parent)
    except OSError:
        handle = None
    if handle is None or os.getppid() != parent:  # it died before we looked
        return os.open(os.devnull, os.O_RDONLY)  # always readable
    return handle


def _write(path: Path, run: str, swept: Swept) -> None:
    """How the run ended, unless seeder came to write that itself."""
    from seeder.machine import atomic

    if path.exists() or not path.parent.is_dir():
        return
    result = {
        "run": run,
        "code": KILLED,
        "ended_by": "killed",
        "message": "seeder was killed",
        "removed": swept.removed,
        "left": swept.left,
    }
    atomic.write(path, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
