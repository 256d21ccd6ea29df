"""The processes of the shop without seeder: written down once from an environment, then started from copies of its folders."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psycopg
import redis

import seeder
from benchmarks.measure import ROOT, clock
from seeder.environment import Environment
from seeder.machine.folder import copy_folder
from seeder.order import along
from seeder.passed.operation import Start
from seeder.running import start
from seeder.session import Session
from seeder.wait import READY, Verdict, not_yet, wait_for

ANSWERS = 60.0  # seconds that a process may take until it answers
LABEL = "SEEDER_OWNER"  # what carries it a sweep of seeder's ends
FOLDERS = ("data", "mounts")  # of a run: what its processes read

Elsewhere = Callable[[str], str]


@dataclass(frozen=True)
class Program:
    """How a process was started, where it answers, and which others it waits for."""

    command: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    url: str
    after: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """`kept` is what the processes read, as a clean stop left it. They know it as `folder`, and each other by `ports`."""

    programs: Mapping[str, Program]
    kept: Path
    folder: str
    ports: tuple[int, ...]

    def once(self) -> dict[str, float]:
        """Start every process as soon as what it waits for answers, then end them all. The copy is made before and removed after."""
        with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder, ExitStack() as undo:
            elsewhere = self._copied(Path(folder))
            children: dict[str, subprocess.Popen[bytes]] = {}
            undo.callback(_end, children)

            def work(name: str) -> None:
                children[name] = _begin(self.programs[name], elsewhere)
                url = elsewhere(self.programs[name].url)
                wait_for(name, lambda: _look(url), within=ANSWERS, first=0.005, longest=0.01)

            with clock() as up:
                along({name: one.after for name, one in self.programs.items()}, work, at_once=len(self.programs))
            with clock() as down:
                _end(children)
        return {"start": up["total"], "teardown": down["total"], "total": up["total"] + down["total"]}

    def _copied(self, folder: Path) -> Elsewhere:
        """A copy of what is kept, and how its processes' words are told for it and for ports that are free now."""
        copy_folder(self.kept, folder)
        ports = dict(zip(self.ports, _free(len(self.ports)), strict=True))

        def elsewhere(text: str) -> str:
            moved = text.replace(self.folder, str(folder))
            return re.sub(r"\b\d{5}\b", lambda found: str(ports.get(int(found[0]), found[0])), moved)

        for path in (*folder.glob("data/*/*.conf"), *folder.glob("data/*/stub.json")):
            path.write_text(elsewhere(path.read_text(encoding="utf-8")), encoding="utf-8")
        return elsewhere


@contextmanager
def recorded() -> Iterator[Stack]:
    """The local environment of checkout-ready, as seeder starts it: the same programs, words, variables and order."""
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as kept:
        with seeder.up("shop", scenario="checkout-ready", runtime="local", project=ROOT) as session:
            found = _record(session, session._environment, Path(kept))  # noqa: SLF001  (what no user of an environment needs)
        yield found


def _record(session: Session, environment: Environment, kept: Path) -> Stack:
    with redis.Redis.from_url(session.url("cache")) as client:
        client.save()  # seeder keeps none of it on disk
    running = start.running(environment, environment.plan)
    start.stop(environment, running)
    for one in environment.plan.servers:
        start.stopping(environment).stop(one.subject)
    for name in FOLDERS:
        if (environment.run.folder / name).is_dir():
            copy_folder(environment.run.folder / name, kept / name)
    names = {one.subject for one in (*environment.plan.servers, *running)}
    programs = {one.subject: _program(session, environment, one, names) for one in (*environment.plan.servers, *running)}
    return Stack(programs, kept, str(environment.run.folder), tuple(address.port for address in environment.addresses.values()))


def _program(session: Session, environment: Environment, one: Start, names: set[str]) -> Program:
    local: Any = environment.deployment
    known = {**local._services, **local._engines}[one.subject]  # noqa: SLF001  (what no other runtime has)
    variables = {name: value for name, value in known.environment.items() if name != LABEL}
    url, after = session.url(one.subject), tuple(other for other in one.after if other in names)
    if url.startswith("http"):
        url += "/__admin/health" if one.subject in environment.stack.stores else "/healthz"
    return Program(known.command, str(known.cwd), variables, url, after)


def _begin(program: Program, elsewhere: Elsewhere) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [elsewhere(word) for word in program.command],
        cwd=elsewhere(program.cwd),
        env={name: elsewhere(value) for name, value in program.environment.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """PostgreSQL ends its own processes at once on a QUIT; the others have none."""
    for child in children.values():
        child.send_signal(signal.SIGQUIT if "postgres" in str(child.args) else signal.SIGKILL)
    for child in children.values():
        child.wait()


def _look(url: str) -> Verdict:
    with suppress(OSError, HTTPException, psycopg.OperationalError, redis.RedisError):
        if _answers(url):
            return READY
    return not_yet(f"{url} does not answer")


def _answers(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    if scheme == "postgresql":
        with psycopg.connect(url) as connection:
            return connection.execute("select true").fetchone() == (True,)
    if scheme == "redis":
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    if scheme == "nats":
        host, _, port = rest.partition(":")
        with socket.create_connection((host, int(port))) as greeted:
            return greeted.recv(4) == b"INFO"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)


def _free(count: int) -> list[int]:
    """That many port numbers of this machine which nobody uses now; all are held until the last is found, so that no two are the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
