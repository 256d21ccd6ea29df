"""A database server that all test processes of one invocation use together, in a process of its own.

The first that asks starts the process; it brings the server up as any run would, keeps every store aside to be copied, and ends once
nobody uses it any more. Who uses it is written down in a folder of the invocation, and who was killed uses nothing.
"""

from __future__ import annotations

import datetime
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seeder import check, decide, lifecycle, present
from seeder.definition.request import Definition, Request, find_project, of_server, resolve
from seeder.environment import Environment
from seeder.errors import DefinitionError, EnvironmentFailed, Mark, Problem, SeederError, UsageError, of_machine
from seeder.frozen import frozen
from seeder.machine import atomic, living, process
from seeder.machine.lock import free
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.passed.target import Target
from seeder.plan import through_services
from seeder.protocols import Clones
from seeder.registry import traits
from seeder.running import start
from seeder.wait import READY, Verdict, not_yet, wait_for

ASKED, UP, WRONG, LOCK, USERS, LOG = "asked.json", "up.json", "wrong.json", "lock", "users", "log"
BRING_SECONDS = 3600.0  # images may have to be pulled
LEAVE_SECONDS = 60.0


@frozen
class Wanted:
    """Which server of which project, in which state."""

    project: Path
    request: Request
    server: str

    def definition(self) -> Definition:
        """Raises UsageError where that is in a system that others use, too."""
        with check.entire(self.project, self.request):
            found = resolve(find_project(self.project, self.request.overlays), self.request, traits())
        if target := found.stack.shared:
            cause = f"is a database for one test, and target {target.name} is shared"
            raise UsageError("seeder_database", cause, "run these tests without --seeder-target")
        return found


class Server:
    """The server as one test process uses it. `folder`: what all processes of the invocation know of it; `who`: this one among them."""

    def __init__(self, folder: Path, who: str, wanted: Wanted) -> None:
        self._folder, self._wanted = folder, wanted
        self._user = folder / USERS / f"{who}.json"
        self._child: subprocess.Popen[bytes] | None = None
        self.run = self.digest = ""  # what brings it up, and what its stores hold, once that is done
        self._refused = False

    def join(self) -> dict[str, Target]:
        """The server's stores, once they can be copied. Raises SeederError as told by the process that could not bring it up."""
        self._user.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.write(self._user, json.dumps(asdict(living.myself())))
        wait_for(self._wanted.server, self._look, within=BRING_SECONDS, longest=0.1, remedy="`seeder ls` tells how it stands")
        if wrong := _read(self._folder / WRONG):
            self._refused = True
            raise _told(wrong)
        found = present.find(self.run, datetime.datetime.now(datetime.UTC), self._folder)
        return {name: target for name, (target, _) in present.targets(found).items()}

    def _look(self) -> Verdict:
        """Up, or known not to come up; else somebody is at it."""
        if (self._folder / WRONG).exists():
            return READY
        if _held(self._folder):
            up = _read(self._folder / UP) or {}
            self.run, self.digest = up.get("run", ""), up.get("digest", "")
            return READY if self.run else not_yet("it is being brought up")
        if self._child and self._child.poll():
            log = self._folder / LOG
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
            raise EnvironmentFailed(self._wanted.server, "the process that brings it up has died", f"see {log}", log="".join(last))
        if self._child is None or self._child.poll() is not None:
            self._child = _begin(self._folder, self._wanted)
        return not_yet("it is about to be brought up")

    def leave(self) -> str:
        """This process uses it no more. The last one waits until it is gone, and answers what went wrong with that."""
        self._user.unlink(missing_ok=True)
        if _users(self._folder):
            return ""

        def gone() -> Verdict:
            return not_yet("it is being ended") if _held(self._folder) else READY

        try:
            wait_for(self._wanted.server, gone, within=LEAVE_SECONDS, first=0.01, longest=0.1, remedy="`seeder ls` tells how it stands")
        except EnvironmentFailed as error:
            return str(error)
        if self._child:
            self._child.wait()
        wrong = _read(self._folder / WRONG)
        return str(_told(wrong)) if wrong and not self._refused else ""


def _begin(folder: Path, wanted: Wanted) -> subprocess.Popen[bytes]:
    """It outlives the environments of this process, which are runs of their own. What is asked for may hold secrets: it stands in a
    file, since everyone on the machine sees the words of a command."""
    atomic.write(folder / ASKED, json.dumps({**asdict(wanted.request), "project": str(wanted.project), "server": wanted.server}))
    command = [sys.executable, "-P", "-m", "seeder.testing.server", str(folder)]
    with (folder / LOG).open("wb") as log:
        return process.start(command, cwd=Path("/"), environment=process.of_seeder(), output=log, owned=False)


def _held(folder: Path) -> bool:
    """Whether a process is at it."""
    with free(folder / LOCK) as ours:
        return not ours


def _users(folder: Path) -> list[str]:
    """Who uses it and is alive."""
    found = {path.stem: _read(path) for path in (folder / USERS).glob("*.json")}
    return [who for who, given in found.items() if given and living.Identity(**given).alive()]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found


def _told(wrong: Mapping[str, Any]) -> SeederError:
    """What went wrong in the other process, as if it had been here."""

    def place(given: Mapping[str, Any] | None) -> Mark | None:
        return Mark(Path(given["file"]), given["line"]) if given else None

    error = EnvironmentFailed.of(Problem(**{**one, "mark": place(one["mark"])}) for one in wrong["problems"])
    error.log = wrong["log"]
    return error


# -- the process ------------------------------------------------------------------------------------------------------


def main() -> None:
    import filelock

    folder = Path(sys.argv[1])
    given = json.loads((folder / ASKED).read_text(encoding="utf-8"))
    project, server = Path(given.pop("project")), given.pop("server")
    lock = filelock.FileLock(folder / LOCK, mode=0o600)
    try:
        lock.acquire(timeout=1)  # others look, for a moment, whether it is free
    except filelock.Timeout:
        return
    (folder / UP).unlink(missing_ok=True)
    try:
        if (folder / WRONG).exists():  # who had the lock before tried it already
            return
        _serve(folder, Wanted(project, Request.read(given), server))
    except Exception as error:
        known = error if isinstance(error, SeederError) else of_machine(error)
        if known is None:
            raise
        problems = [asdict(problem) for problem in known.problems]
        atomic.write(folder / WRONG, json.dumps({"problems": problems, "log": known.log}, default=str))
    finally:
        lock.release()


def _serve(folder: Path, wanted: Wanted) -> None:
    with _provided(wanted) as (environment, digest):
        for store in environment.stack.stores_of(wanted.server):
            engine = environment.engine(store.name)
            if isinstance(engine, Clones):
                engine.template(environment.target(store.name))

        up = {"run": environment.run.id, "digest": digest}

        def look() -> Verdict:
            return not_yet("it is used") if _used(folder, up) else READY

        wait_for("tests", look, within=math.inf, first=0.1, longest=0.1)


def _used(folder: Path, up: Mapping[str, str]) -> bool:
    """Who comes writes down that he does, and then looks whether it is up; so it is down first, and then looked at who came."""
    if _users(folder):
        if not (folder / UP).exists():
            atomic.write(folder / UP, json.dumps(up))
        return True
    (folder / UP).unlink(missing_ok=True)
    return bool(_users(folder))


@contextmanager
def _provided(wanted: Wanted) -> Iterator[tuple[Environment, str]]:
    """With the digest of its stores. Services that its state needed are stopped."""
    with lifecycle.opened(planned(wanted), Options(), lambda _: None) as (environment, story):
        start.stop(environment, start.running(environment, environment.plan))
        yield environment, story.result.digest or ""


def planned(wanted: Wanted) -> Plan:
    """The server alone, where its state comes from files; what acts through services needs them all."""
    definition = wanted.definition()
    with check.entire(wanted.project, wanted.request):
        if through_services(definition):
            return decide.plan(definition)
        try:
            return decide.plan(of_server(definition, wanted.server))
        except DefinitionError:
            decide.plan(definition)  # of the whole it is told in the words in which `check` and all others tell it
            raise


if __name__ == "__main__":
    main()
