"""Signals, time limits and terminals: whenever they come, the run ends as it says, keeps its evidence and leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.scenarios.bare import bare
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import WORDS, change, evidence, gone, proper, result, run, terminal, web
from tests.scenarios.seeder import SEEDER, events, leftovers, reached, started, until

pytestmark = pytest.mark.usefixtures("cached")

HANGS = "import time\ntime.sleep(600)\n"


@pytest.fixture
def folder(project):
    """Where the command is looked at, or the end of the run: what stores would do is not."""
    return bare(project("small"))


@product("runtime", RUNTIMES, some=[["docker"]])
def test_ctrl_c_during_the_start_ends_the_run_and_more_of_them_do_not_stop_its_teardown(project, home, runtime):
    folder = project("small")
    web(folder, HANGS)
    with terminal(*WORDS, runtime, "--", "true", cwd=folder) as screen:
        until("services start", lambda: _starts_services(folder) or screen.child.poll() is not None)
        screen.press("\x03")
        until("teardown", lambda: reached(folder, "teardown") or screen.child.poll() is not None)
        for _ in range(3):
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
def test_the_command_has_the_terminal_and_ctrl_c_reaches_it_from_there_alone(folder, home, runtime):
    program = (
        "import os, signal, time; signal.signal(signal.SIGINT, lambda *_: print('told'));"
        "print([os.isatty(n) for n in (0, 1, 2)], os.tcgetpgrp(0) == os.getpgrp()); print('said', input()); time.sleep(2); print('done')"
    )
    with terminal(*WORDS, runtime, "--", sys.executable, "-uc", program, cwd=folder) as screen:
        screen.shows("[True, True, True] True")
        screen.press("hello\n")
        screen.shows("said hello")
        screen.press("\x03")
        assert screen.ends() == 130
        assert screen.text.count("told") == 1
        assert "done" in screen.text, "it is not killed but waited for"
        assert "Traceback" not in screen.text
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


@product("ending", ["at the second", "at the third"], some=[["at the third"]])
def test_a_command_that_ignores_ctrl_c_is_waited_for_in_words_asked_to_end_by_the_second_and_killed_by_the_third(folder, home, ending):
    heeds = "exit 3" if ending == "at the second" else ":"
    stubborn = f"trap 'echo ignoring' INT; trap 'echo asked; {heeds}' TERM; echo here; while :; do sleep 1; done"
    with terminal(*WORDS, "local", "--", "sh", "-c", stubborn, cwd=folder) as screen:
        screen.shows("here")
        screen.press("\x03")
        screen.shows("goes on after the signal, and seeder waits for it -> Ctrl-C again ends it")
        screen.press("\x03")
        screen.shows("asked")
        if ending == "at the third":
            screen.press("\x03")
        assert screen.ends() == 130
        assert "Traceback" not in screen.text
    assert result(folder)["ended_by"] == "signal"
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["local"]])
def test_ctrl_c_during_the_teardown_does_not_stop_it(folder, home, runtime):
    service = folder / "web" / "web.py"
    ends = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))"
    change(folder, "web/web.py", ends, "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), sys.exit(0)))")
    service.write_text("import time\n" + service.read_text())
    with terminal(*WORDS, runtime, "--", "true", cwd=folder) as screen:
        until("teardown", lambda: reached(folder, "teardown") or screen.child.poll() is not None)
        for _ in range(3):
            screen.press("\x03")
        assert screen.ends() == 0, screen.text
    assert result(folder)["ended_by"] == "success"
    gone(folder, home)


@product(
    "name, stage, runtime", ["SIGINT", "SIGTERM", "SIGHUP"], ["start", "command"], RUNTIMES,
    some=[("SIGHUP", "start", "local"), ("SIGTERM", "command", "docker"), ("SIGINT", "command", "local")],
)  # fmt: skip
def test_a_signal_to_seeder_alone_ends_the_run_and_its_command(project, home, runtime, name, stage):
    """CI systems cancel a job by a signal to the process that they started, without a terminal."""
    folder, number = project("small"), signal.Signals[name]
    if stage == "command":
        bare(folder)
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


def test_a_terminal_that_is_closed_ends_the_run(folder, home):
    with terminal(*WORDS, "local", "--", "sleep", "600", cwd=folder) as screen:
        until("command", lambda: reached(folder, "command") or screen.child.poll() is not None)
        screen.hang_up()
        assert screen.ends() == 129
    assert result(folder)["ended_by"] == "signal"
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["docker"]])
def test_the_time_limit_ends_a_start_that_does_not(folder, home, runtime):
    web(folder, HANGS)
    proper(
        run(folder, runtime, options=("--timeout", "12s")),
        124,
        "run: did not end within 12 s; under way: start: web waiting (",
        "raise --timeout",
    )
    assert result(folder)["ended_by"] == "timeout"
    assert result(folder)["seconds"] < 40
    assert "interrupted by" not in (evidence(folder) / "events.jsonl").read_text()
    gone(folder, home)


def test_the_time_limit_ends_a_load_that_does_not(project, home):
    folder = project("small")
    (folder / "testdata" / "golden" / "notes" / "db" / "010-wait.sql").write_text("lock table notes;\nselect pg_sleep(600);\n")
    change(folder, "manifest.yaml", "{name: notes,", "{name: notes, privacy: no-pii,")
    proper(run(folder, "local", options=("--timeout", "12s")), 124, "run: did not end within 12 s")
    assert reached(folder, "load")
    assert result(folder)["seconds"] < 40
    evidence(folder)
    gone(folder, home)


def test_the_time_limit_ends_gates_that_wait(folder, home):
    change(folder, "testdata/scenarios/ready.yaml", "status: 200", "status: 201, within: 600s")
    proper(run(folder, "local", options=("--timeout", "12s")), 124, "run: did not end within 12 s")
    assert reached(folder, "gate")
    assert result(folder)["seconds"] < 40
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["local"]])
def test_the_time_limit_asks_the_command_to_end_and_then_kills_it(folder, home, runtime):
    polite = "trap 'echo asked; trap \"\" TERM' TERM; echo begun; (trap '' TERM; sleep 600) & while :; do wait; done"
    said = run(folder, runtime, "sh", "-c", polite, options=("--timeout", "12s"))
    assert said.out == "begun\nasked\n"
    proper(said, 124, "run: did not end within 12 s; under way: command")
    evidence(folder)
    gone(folder, home)


@product("number", ["9", "11", "15"], some=[["9"]])
def test_a_command_that_a_signal_ends_has_the_shells_code(folder, home, number):
    code = 128 + int(number)
    proper(run(folder, "local", "sh", "-c", f"kill -{number} $$"), code, f"command (exit {code})")
    assert result(folder)["ended_by"] == "command"
    evidence(folder)
    gone(folder, home)


@product("runtime", RUNTIMES, some=[["local"]])
def test_the_commands_streams_are_its_own_and_what_it_left_running_goes_with_the_run(folder, home, runtime):
    program = (
        "import subprocess, sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1]); sys.stderr.write('own words\\n');"
        "[subprocess.Popen(['sleep', '600'], stdin=-3, stdout=-3, stderr=-3, start_new_session=own) for own in (True, False)]"
    )
    given = bytes(range(256)) * 5000
    with started_with_pipes(*WORDS, runtime, "--quiet", "--", sys.executable, "-c", program, cwd=folder) as child:
        out, err = child.communicate(given, timeout=120)
    assert child.returncode == 0
    assert out == given[::-1]
    assert err == b"own words\n"
    gone(folder, home)


def started_with_pipes(*words, cwd):
    return subprocess.Popen([*SEEDER, *words], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_run_inside_of_a_run_is_a_run_of_its_own(folder, home):
    inner = f"{sys.executable} -m seeder run small --scenario ready --runtime local -q -- sh -c 'echo $SEEDER_RUN; exit 5'"
    said = run(folder, "local", "sh", "-c", f"echo $SEEDER_RUN; {inner}; echo $?; {sys.executable} -m seeder env | head -n 1")
    proper(said, 0)
    outer, own, code, after = said.out.split()
    assert outer != own
    assert (code, after) == ("5", f"SEEDER_RUN={outer}")
    assert {path.name for path in folder.glob(".seeder/runs/*")} == {outer, own}
    assert leftovers(outer, home) + leftovers(own, home) == []


def test_killed_together_with_a_run_inside_nothing_is_left_of_either(folder, home):
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
