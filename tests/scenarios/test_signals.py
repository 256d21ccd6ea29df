"""Signals, time limits and terminals: whenever they come, the run ends as it says, keeps its evidence and leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import WORDS, change, evidence, gone, proper, result, run, terminal, web
from tests.scenarios.seeder import SEEDER, events, leftovers, reached, started, until

pytestmark = pytest.mark.usefixtures("cached")

HANGS = "import time\ntime.sleep(600)\n"


@product("runtime", RUNTIMES, some=[["docker"]])
def test_ctrl_c_during_the_start_ends_the_run(project, home, runtime):
    folder = project("small")
    web(folder, HANGS)
    with terminal(*WORDS, runtime, "--", "true", cwd=folder) as screen:
        until("services start", lambda: _starts_services(folder) or screen.child.poll() is not None)
        screen.press("\x03")
        assert screen.ends() == 130
        assert "interrupted by SIGINT" in screen.text
        assert "is missing from the bundle" not in screen.text, "what was not there yet is not missed"
        assert "Traceback" not in screen.text
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


def _starts_services(folder):
    return any(e.get("subject") == "web" and e.get("state") == "starting" for e in events(folder))


@product("runtime", RUNTIMES, some=[["local"]])
def test_ctrl_c_during_the_command_reaches_it_from_the_terminal_alone(project, home, runtime):
    folder = project("small")
    program = "import signal, time; signal.signal(signal.SIGINT, lambda *_: print('told')); print('here'); time.sleep(2); print('done')"
    with terminal(*WORDS, runtime, "--", sys.executable, "-uc", program, cwd=folder) as screen:
        screen.shows("here")
        screen.press("\x03")
        assert screen.ends() == 130
        assert screen.text.count("told") == 1
        assert "done" in screen.text, "it is not killed but waited for"
        assert "Traceback" not in screen.text
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


def test_a_command_that_ignores_ctrl_c_is_waited_for_in_words_and_ended_by_the_second(project, home):
    folder = project("small")
    stubborn = "trap 'echo ignoring' INT; trap 'echo asked; exit 3' TERM; echo here; while :; do sleep 1; done"
    with terminal(*WORDS, "local", "--", "sh", "-c", stubborn, cwd=folder) as screen:
        screen.shows("here")
        screen.press("\x03")
        screen.shows("goes on after the signal, and seeder waits for it -> Ctrl-C again ends it")
        screen.press("\x03")
        assert screen.ends() == 130
        assert "asked" in screen.text
    assert result(folder)["ended_by"] == "signal"
    gone(folder, home)


def test_a_command_that_ignores_every_signal_is_killed_by_the_third_ctrl_c(project, home):
    folder = project("small")
    deaf = "trap 'echo ignoring' INT TERM; echo here; while :; do sleep 1; done"
    with terminal(*WORDS, "local", "--", "sh", "-c", deaf, cwd=folder) as screen:
        screen.shows("here")
        for times in (1, 2, 3):
            screen.press("\x03")
            if times < 3:
                until("it was told", lambda times=times: screen.text.count("ignoring") >= times)
        assert screen.ends() == 130
        assert "Traceback" not in screen.text
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["docker"]])
def test_ctrl_c_during_the_teardown_does_not_stop_it(project, home, runtime):
    folder = project("small")
    with terminal(*WORDS, runtime, "--", "true", cwd=folder) as screen:
        until("teardown", lambda: reached(folder, "teardown") or screen.child.poll() is not None)
        for _ in range(3):
            screen.press("\x03")
        assert screen.ends() == 0, screen.text
    assert result(folder)["ended_by"] == "success"
    gone(folder, home)


@product(
    "name, stage, runtime", ["SIGINT", "SIGTERM", "SIGHUP"], ["start", "command"], RUNTIMES,
    some=[("SIGINT", "start", "docker"), ("SIGHUP", "start", "local"), ("SIGTERM", "command", "docker"), ("SIGTERM", "command", "local")],
)  # fmt: skip
def test_a_signal_to_seeder_alone_ends_the_run_and_its_command(project, home, runtime, name, stage):
    """CI systems cancel a job by a signal to the process that they started, without a terminal."""
    folder, number = project("small"), signal.Signals[name]
    with started(*WORDS, runtime, "--", "sleep", "600", cwd=folder) as child:
        until(f"stage {stage}", lambda: reached(folder, stage) or child.poll() is not None)
        child.send_signal(number)
        assert child.wait(60) == 128 + number
    said = (folder / "seeder.log").read_text()
    assert f"interrupted by {name}" in said
    assert "Traceback" not in said
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


def test_a_terminal_that_is_closed_ends_the_run(project, home):
    folder = project("small")
    with terminal(*WORDS, "local", "--", "sleep", "600", cwd=folder) as screen:
        until("command", lambda: reached(folder, "command") or screen.child.poll() is not None)
        screen.hang_up()
        assert screen.ends() == 129
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["docker"]])
def test_the_time_limit_ends_a_start_that_does_not(project, home, runtime):
    folder = project("small")
    web(folder, HANGS)
    proper(run(folder, runtime, options=("--timeout", "15s")), 124, "run: did not end within 15 s", "raise --timeout")
    assert result(folder)["ended_by"] == "timeout"
    assert result(folder)["seconds"] < 40
    assert "interrupted by" not in (evidence(folder) / "events.jsonl").read_text()
    gone(folder, home)


def test_the_time_limit_ends_a_load_that_does_not(project, home):
    folder = project("small")
    (folder / "testdata" / "golden" / "notes" / "db" / "010-wait.sql").write_text("lock table notes;\nselect pg_sleep(600);\n")
    change(folder, "manifest.yaml", "{name: notes,", "{name: notes, privacy: no-pii,")
    proper(run(folder, "local", options=("--timeout", "15s")), 124, "run: did not end within 15 s")
    assert reached(folder, "load")
    assert result(folder)["seconds"] < 40
    evidence(folder)
    gone(folder, home)


def test_the_time_limit_ends_gates_that_wait(project, home):
    folder = project("small")
    change(folder, "testdata/scenarios/ready.yaml", "equals: first}", "equals: other, within: 600s}")
    proper(run(folder, "local", options=("--timeout", "15s")), 124, "run: did not end within 15 s")
    assert reached(folder, "gate")
    assert result(folder)["seconds"] < 40
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["local"]])
def test_the_time_limit_asks_the_command_to_end_and_then_kills_it(project, home, runtime):
    folder = project("small")
    polite = "trap 'echo asked; trap \"\" TERM' TERM; echo begun; (trap '' TERM; sleep 600) & while :; do wait; done"
    said = run(folder, runtime, "sh", "-c", polite, options=("--timeout", "20s"))
    assert said.out == "begun\nasked\n"
    proper(said, 124, "run: did not end within 20 s")
    evidence(folder)
    gone(folder, home)


@pytest.mark.parametrize("number", [9, 11, 15])
def test_a_command_that_a_signal_ends_has_the_shells_code(project, home, number):
    folder = project("small")
    proper(run(folder, "local", "sh", "-c", f"kill -{number} $$"), 128 + number, f"command (exit {128 + number})")
    assert result(folder)["ended_by"] == "command"
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["local"]])
def test_the_commands_streams_are_its_own(project, runtime):
    folder = project("small")
    program = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1]); sys.stderr.write('own words\\n')"
    given = bytes(range(256)) * 5000
    with started_with_pipes(*WORDS, runtime, "--quiet", "--", sys.executable, "-c", program, cwd=folder) as child:
        out, err = child.communicate(given, timeout=120)
    assert child.returncode == 0
    assert out == given[::-1]
    assert err == b"own words\n"


def started_with_pipes(*words, cwd):
    return subprocess.Popen([*SEEDER, *words], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_command_has_the_terminal(project, home):
    folder = project("small")
    program = "import os, sys; print([os.isatty(n) for n in (0, 1, 2)], os.tcgetpgrp(0) == os.getpgrp()); print('said', input())"
    with terminal(*WORDS, "local", "--", sys.executable, "-c", program, cwd=folder) as screen:
        screen.shows("[True, True, True] True")
        screen.press("hello\n")
        assert screen.ends() == 0
        assert "said hello" in screen.text
    gone(folder, home)


def test_what_the_command_left_running_goes_with_the_run(project, home):
    folder = project("small")
    proper(run(folder, "local", "sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & sleep 600 >/dev/null 2>&1 & true"), 0)
    gone(folder, home)


def test_a_run_inside_of_a_run_is_a_run_of_its_own(project, home):
    folder = project("small")
    inner = f"{sys.executable} -m seeder run small --scenario ready --runtime local -q -- sh -c 'echo $SEEDER_RUN; exit 5'"
    said = run(folder, "local", "sh", "-c", f"echo $SEEDER_RUN; {inner}; echo $?; {sys.executable} -m seeder env | head -n 1")
    proper(said, 0)
    outer, own, code, after = said.out.split()
    assert outer != own
    assert (code, after) == ("5", f"SEEDER_RUN={outer}")
    assert {path.name for path in folder.glob(".seeder/runs/*")} == {outer, own}
    assert leftovers(outer, home) + leftovers(own, home) == []


def test_killed_together_with_a_run_inside_nothing_is_left_of_either(project, home):
    folder = project("small")
    inner = f"exec {sys.executable} -m seeder run small --runtime local -q -- sleep 600"
    with started(*WORDS, "local", "--", "sh", "-c", inner, cwd=folder) as child:
        until("two runs", lambda: len(list(folder.glob(".seeder/runs/*"))) == 2 or child.poll() is not None)
        runs = [path.name for path in folder.glob(".seeder/runs/*")]
        until("the inner command", lambda: child.poll() is not None or _commands(folder) == 2)
        child.kill()
        child.wait()
        until("nothing is left", lambda: not [left for name in runs for left in leftovers(name, home)], within=20)


def _commands(folder):
    return sum(e["event"] == "stage.started" and e["stage"] == "command" for e in events(folder))
