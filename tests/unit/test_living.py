"""Which processes are a run's, and that a sweep ends those and no others."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seeder.machine import living
from seeder.wait import READY, not_yet, wait_for

WAIT = "print('here', flush=True); input()"


@pytest.fixture
def run() -> str:
    return f"t{secrets.token_hex(5)}"


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a Python that says it is here, then waits until its input closes."""
    children: list[subprocess.Popen[str]] = []

    def start(code: str = WAIT, *, label: str | None = None, session: bool = True, output: Path | None = None) -> subprocess.Popen[str]:
        others = {name: value for name, value in os.environ.items() if name != "SEEDER_OWNER"}
        environment = others | ({"SEEDER_OWNER": label} if label else {})
        with (output or Path(os.devnull)).open("a") as log:
            made = subprocess.Popen(
                [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=log if output else subprocess.PIPE, stderr=log, text=True,
                env=environment, start_new_session=session,
            )  # fmt: skip
        children.append(made)
        if not output:
            assert made.stdout.readline()
        return made

    yield start
    for made in children:
        made.communicate()


def lives(made: subprocess.Popen[str]) -> bool:
    return living.identity(made.pid) is not None


def test_labelled_processes_are_ended_and_others_live(run: str, child, tmp_path: Path) -> None:
    mine, other, unlabelled = child(label=run), child(label=f"{run}x"), child()
    swept = living.sweep(run, tmp_path)
    assert [text.partition(" (")[0] for text in swept.ended] == [f"pid {mine.pid}"]
    assert swept.left == ()
    assert [lives(one) for one in (mine, other, unlabelled)] == [False, True, True]


def test_a_process_that_writes_into_the_run_s_folder_is_the_run_s(run: str, child, tmp_path: Path) -> None:
    folder, beside = tmp_path / run, tmp_path / f"{run}-beside"
    for one in (folder, beside):
        one.mkdir()
    mine, other = child(output=folder / "log"), child(output=beside / "log")
    living.sweep(run, folder)
    assert [lives(mine), lives(other)] == [False, True]


def test_who_forgot_the_label_is_found_by_the_session_that_a_labelled_one_leads(run: str, child, tmp_path: Path) -> None:
    start = "subprocess.Popen([sys.executable, '-c', 'input()'], env={}, stdin=0)"
    code = f"import subprocess, sys; p = {start}; print(p.pid, flush=True); p.wait()"
    leader = child(f"{code}", label=run)
    swept = living.sweep(run, tmp_path)
    assert len(swept.ended) == 2
    assert not lives(leader)


def test_one_that_catches_the_polite_signal_may_finish(run: str, child, tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = f"import signal, sys; signal.signal(15, lambda *_: (open({str(done)!r}, 'w').close(), sys.exit())); {WAIT}"
    child(code, label=run)
    living.sweep(run, tmp_path / "folder", grace=5)
    assert done.exists()


def test_one_that_ignores_the_polite_signal_is_killed(run: str, child, tmp_path: Path) -> None:
    made = child(f"import signal; signal.signal(15, signal.SIG_IGN); {WAIT}", label=run)
    living.sweep(run, tmp_path, grace=0.2)
    assert made.wait() == -signal.SIGKILL


def test_one_that_multiplies_is_ended_whole(run: str, child, tmp_path: Path) -> None:
    child("import os, time\nprint('here', flush=True)\nfor _ in range(5):\n    os.fork()\n    time.sleep(0.03)", label=run, session=False)
    assert living.sweep(run, tmp_path).left == ()
    assert living.belonging(run, tmp_path) == []


def test_the_caller_and_its_ancestors_are_spared(run: str, tmp_path: Path) -> None:
    inner = f"from pathlib import Path; from seeder.machine import living; print(living.sweep({run!r}, Path({str(tmp_path)!r})).ended)"
    outer = f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {inner!r}], capture_output=True, text=True).stdout)"
    done = subprocess.run(
        [sys.executable, "-c", outer],
        capture_output=True,
        text=True,
        env={**os.environ, "SEEDER_OWNER": run},
        check=True,
        start_new_session=True,
    )
    assert done.stdout.strip() == "()"


def test_an_identity_does_not_outlive_its_process(child) -> None:
    made = child()
    who = living.identity(made.pid)
    assert who.alive()
    made.kill()
    wait_for("zombie", lambda: not_yet("alive") if who.alive() else READY, within=5)  # not yet waited for: a zombie counts as dead
    assert not living.Identity(os.getpid(), "another start").alive()
