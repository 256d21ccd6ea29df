"""A seeder that is killed leaves nothing: its warden ends the wrapped command, every process, and removes what the run owned."""

from __future__ import annotations

import datetime
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from seeder import owner, warden
from seeder.machine import home, living
from seeder.passed.run import Run
from seeder.registry import RUNTIMES
from seeder.wait import READY, Verdict, not_yet, wait_for

STACK = Path(__file__).parents[1] / "data" / "runtime" / "compose.yaml"
WITHIN = 10.0  # what is promised after kill -9

PARENT = """
import datetime, os, subprocess, sys
from pathlib import Path
from seeder import warden
from seeder.machine import home
from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.passed.run import Run, Task
from seeder.registry import RUNTIMES, traits
from seeder.wait import wait_for

name, results, stack = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
now = datetime.datetime.now(datetime.UTC)
run = Run(name, "p", "small", "local", home.run_folder(name), stack.parent, now, 42, now + datetime.timedelta(hours=1))
guard = warden.watch(run, results)

def open_stack():
    stack_ = read_stack(StackEntry(name="small", compose=(stack,), version="1"), engines=traits(), environment={})
    deployment = RUNTIMES.get("local").open(run, stack_, lambda event: None)
    deployment.prepare({})
    return deployment

def up(deployment):
    for service in ("cache", "peer", "web"):
        deployment.start(service)
    wait_for("web", lambda: deployment.look("web", "healthy"), within=30)

def say(*words):
    print(*words, flush=True)

"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests sweep whatever is over, at times of their own choice, and must not find the runs of others."""
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run with an id of its own; whatever a failing test leaves of it is swept."""
    name = f"t{secrets.token_hex(5)}"
    yield Run(name, "p", "small", "local", home.run_folder(name), tmp_path, now(), 42, now() + datetime.timedelta(hours=1))
    warden.sweep(name, "local")


@pytest.fixture
def parent(run: Run, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a seeder-like process that runs the given lines after its warden watches, and waits until it says something."""
    children: list[subprocess.Popen[str]] = []

    def start(lines: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", PARENT + lines, run.id, str(tmp_path), str(STACK)]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        children.append(child)
        assert child.stdout.readline(), "it ended before it said anything"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def wardens(run: Run) -> list[psutil.Process]:
    found = [process for process in psutil.process_iter(["cmdline"]) if "seeder.warden" in (process.info["cmdline"] or [])]
    return [process for process in found if f'"{run.id}"' in process.info["cmdline"][-1]]


def until(subject: str, look: Callable[[], object], within: float = WITHIN) -> None:
    wait_for(subject, lambda: READY if look() else not_yet("not so yet"), within=within, longest=0.1)


def nothing_left(run: Run, ports: list[int]) -> Verdict:
    left = [str(process) for process in living.belonging(run.id, run.folder)]
    left += [str(path) for path in home.runs().glob(f"*{run.id}*")]
    left += [f"port {port}" for port in ports if not _free(port)]
    left += [f"warden {process.pid}" for process in wardens(run)]
    return not_yet(", ".join(left)) if left else READY


def _free(port: int) -> bool:
    with socket.socket() as test:
        return test.connect_ex(("127.0.0.1", port)) != 0


def ports_of(run: Run) -> list[int]:
    table = home.cache() / "ports.json"
    known = json.loads(table.read_text(encoding="utf-8")) if table.exists() else {}
    return [int(port) for port, reservation in known.items() if reservation[0] == run.id]


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


POINTS = {
    "before anything": "say('here'); input()",
    "with an open run": "d = open_stack(); say('here'); input()",
    "with running services": "d = open_stack(); up(d); say('here'); input()",
    "in a task": "d = open_stack(); say('here'); d.execute(Task('t', ('sleep', '300'), 'web'))",
    "with the wrapped command": (
        "d = open_stack(); up(d)\n"
        "env = {**os.environ, 'SEEDER_OWNER': name}\n"
        "subprocess.Popen(['sh', '-c', 'echo here; sleep 300 & setsid sleep 300; true'], env=env).wait()"
    ),
}


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_leaves_nothing(point: str, run: Run, parent, tmp_path: Path) -> None:
    child = parent(POINTS[point])
    ports = ports_of(run)
    child.kill()
    wait_for(run.id, lambda: nothing_left(run, ports), within=WITHIN, longest=0.1)
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (result["run"], result["ended_by"], result["code"], result["left"]) == (run.id, "killed", 137, [])
    assert ports_of(run) == []


def test_a_child_that_holds_the_pipe_open_does_not_hide_the_death(run: Run, parent) -> None:
    """A fork without exec inherits the pipe; it lives on when its parent is killed."""
    child = parent("r, w = os.pipe(); pid = os.fork()\nif not pid:\n    os.read(r, 1)\nsay(pid); input()")
    (forked,) = set(psutil.Process(child.pid).children()) - set(wardens(run))
    child.kill()
    try:
        wait_for(run.id, lambda: nothing_left(run, []), within=WITHIN, longest=0.1)
        assert forked.is_running()
    finally:
        forked.kill()


def test_dismissed_it_goes_away_and_writes_nothing(run: Run, parent, tmp_path: Path) -> None:
    child = parent("warden.sweep(name, 'local'); guard.dismiss(); say('here'); input()")
    assert wardens(run) == []
    child.communicate("\n")
    assert not (tmp_path / "result.json").exists()


def test_a_kept_environment_outlives_its_seeder(run: Run, parent) -> None:
    child = parent("from seeder import owner\nd = open_stack(); up(d); owner.keep(run); guard.keep(); say('here'); input()")
    child.kill()
    child.wait()
    assert wardens(run) == []
    assert len(living.belonging(run.id, run.folder)) >= 3
    assert warden.sweep_expired(now()) == []
    owner.keep(replace(run, expires=now()))
    ((swept, what),) = warden.sweep_expired(now())
    assert (swept, what.left) == (run.id, ())
    assert nothing_left(run, []) == READY


def test_it_lets_polite_signals_pass(run: Run, parent) -> None:
    child = parent("say('here'); input()")
    (process,) = wardens(run)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    child.kill()
    wait_for(run.id, lambda: nothing_left(run, []), within=WITHIN, longest=0.1)
    assert not run.folder.exists()


def test_it_is_small_and_apart(run: Run, parent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_OWNER", "outer")
    child = parent("say('here'); input()")
    until("warden", lambda: wardens(run) and wardens(run)[0].environ())
    (process,) = wardens(run)
    assert "SEEDER_OWNER" not in process.environ()
    assert os.getsid(process.pid) == process.pid != os.getsid(child.pid)
    assert process.memory_info().rss < 25_000_000


def test_a_run_inside_a_run_is_swept_by_its_own_warden_alone(run: Run, parent) -> None:
    child = parent(
        "env = {**os.environ, 'SEEDER_OWNER': name + 'outer'}\nd = open_stack(); up(d)\n"
        "subprocess.Popen(['sh', '-c', 'echo here; sleep 300; true'], env=env, start_new_session=True); input()"
    )
    outer, nowhere = f"{run.id}outer", Path("/nowhere")
    child.kill()
    wait_for(run.id, lambda: nothing_left(run, []), within=WITHIN, longest=0.1)
    assert len(living.belonging(outer, nowhere)) == 2
    assert living.sweep(outer, nowhere).left == ()


def test_what_a_dead_seeder_and_its_dead_warden_left_is_swept_later(run: Run, parent) -> None:
    child = parent("d = open_stack(); up(d); say('here'); input()")
    (process,) = wardens(run)
    process.kill()
    child.kill()
    child.wait()
    assert living.belonging(run.id, run.folder) != []
    ((swept, what),) = warden.sweep_expired(now())
    assert (swept, what.left) == (run.id, ())
    assert nothing_left(run, []) == READY


def test_a_living_run_is_not_swept_by_others(run: Run, parent) -> None:
    child = parent("d = open_stack(); up(d); say('here'); input()")
    assert warden.sweep_expired(now()) == []
    assert living.belonging(run.id, run.folder) != []
    child.kill()
    wait_for(run.id, lambda: nothing_left(run, []), within=WITHIN, longest=0.1)


def test_half_removed_folders_are_finished(run: Run) -> None:
    owner.claim(run)
    gone = run.folder.rename(home.runs() / f".{run.id}.gone")
    assert [swept for swept, _ in warden.sweep_expired(now())] == [run.id]
    assert not gone.exists()


def test_folders_that_vanish_while_they_are_looked_at_are_no_matter(run: Run) -> None:
    """Runs end and are swept by others all the time."""

    def come_and_go() -> None:
        for _ in range(2000):
            run.folder.mkdir(parents=True)
            run.folder.rmdir()

    with ThreadPoolExecutor() as pool:
        others = pool.submit(come_and_go)
        while not others.done():
            assert owner.fragments(now()) == []
        others.result()


def test_the_record_of_a_run_says_whose_it_is(run: Run) -> None:
    assert owner.claim(run) == owner.read(run.id)
    owner.keep(replace(run, expires=run.expires + datetime.timedelta(hours=1)))
    claim = owner.read(run.id)
    assert claim.kept
    assert claim.expires == run.expires + datetime.timedelta(hours=1)
    assert claim.process == living.myself()
    assert RUNTIMES.get("local").owners()[run.id] == claim.expires


def test_a_run_of_another_machine_is_over_only_when_its_time_is_up(run: Run) -> None:
    """A home on a shared disk, or mounted into several containers: process numbers there say nothing here."""
    owner.claim(run)
    file = run.folder / owner.FILE
    claim = json.loads(file.read_text(encoding="utf-8"))
    claim["process"] = {"pid": 2**22 + 1, "started": "0", "place": "another"}
    file.write_text(json.dumps(claim), encoding="utf-8")
    assert warden.sweep_expired(now()) == []
    assert owner.read(run.id).state(now()) == "alive"
    assert [swept for swept, _ in warden.sweep_expired(run.expires)] == [run.id]


def test_a_living_run_is_nobodys_to_sweep_however_long_it_takes(run: Run) -> None:
    owner.claim(run)
    late = run.expires + datetime.timedelta(days=1)
    assert owner.read(run.id).state(late) == "alive"
    assert warden.sweep_expired(late) == []
