"""The wrapped command: its code is the answer, a wrong one is known before anything starts."""

import os

import pytest

from seeder.errors import TimeLimit
from seeder.machine import command, interrupt, living


def test_its_exit_code_comes_back():
    assert command.run(["sh", "-c", "exit 7"], {}) == command.Ending(7)


def test_a_command_ended_by_a_signal_has_the_shells_code():
    assert command.run(["sh", "-c", "kill -9 $$"], {}).code == 137


def test_it_sees_the_variables(tmp_path):
    command.run(["sh", "-c", f'echo "$SEEDER_AS_OF" > {tmp_path}/said'], {"SEEDER_AS_OF": "2026-01-15T12:00:00Z"})
    assert (tmp_path / "said").read_text() == "2026-01-15T12:00:00Z\n"


def test_an_unknown_command_is_127():
    with pytest.raises(command.NotFound) as missing:
        command.find(["no-such-command-here"])
    assert missing.value.run_code == 127


def test_a_file_that_is_not_executable_is_126(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    with pytest.raises(command.NotExecutable) as refused:
        command.find([str(script)])
    assert refused.value.run_code == 126


def test_a_file_without_a_format_is_126(tmp_path):
    script = tmp_path / "script"
    script.write_bytes(b"\x00\x01\x02")
    script.chmod(0o755)
    with pytest.raises(command.NotExecutable):
        command.run([str(script)], {})


def limited(shell):
    """Run by a seeder that has a time limit; the shell says when that is reached, once it is waited for."""
    with interrupt.guarded(60) as guard:
        guard.release()
        command.run(["sh", "-c", shell], {})


@pytest.mark.parametrize("heeds", ["", 'trap "" TERM; '])
def test_at_the_time_limit_what_a_shell_waits_for_ends_with_it(tmp_path, heeds):
    pid = tmp_path / "pid"
    with pytest.raises(TimeLimit):
        limited(f"sh -c '{heeds}echo $$ > {pid}; sleep 1; kill -ALRM {os.getpid()}; sleep 600; true'; true")
    assert living.identity(int(pid.read_text())) is None
