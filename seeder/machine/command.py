"""The wrapped command: in the terminal's foreground group, with inherited streams; its exit code is the run's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from seeder.errors import SeederError
from seeder.frozen import frozen
from seeder.machine import interrupt, living

_END_SECONDS = 2.0
_TELL_SECONDS = 1.0  # from a signal until the user hears that the command goes on
_KILL_SECONDS = 5.0  # from the second signal until the command is killed


class NotFound(SeederError):
    """There is no such command."""

    code = run_code = 127
    ended_by = "command not found"


class NotExecutable(SeederError):
    """The command's file cannot be executed."""

    code = run_code = 126
    ended_by = "command not executable"


@frozen
class Ending:
    """How the command ended: its exit code (128+n when signal n ended it), and the signal that seeder itself got meanwhile."""

    code: int
    interrupted: int | None = None


def find(command: Sequence[str]) -> str:
    """The program's path, so that a wrong one is known before anything starts. Raises NotFound, NotExecutable."""
    program = command[0]
    if found := shutil.which(program):
        return found
    path = Path(program)
    if os.sep in program and path.is_dir():
        raise NotExecutable(program, "is a folder", "name a program in it")
    if os.sep in program and path.exists():
        raise NotExecutable(program, "is not executable", f"chmod +x {program}, or name its interpreter")
    raise NotFound(program, "no such command", "check the spelling and PATH; the command stands after `--`")


def run(command: Sequence[str], variables: Mapping[str, str], goes_on: Callable[[], None] = lambda: None) -> Ending:
    """Run in the foreground and wait. Ctrl-C reaches the command from the terminal; other signals are passed on to it. A command
    that goes on is told of once by `goes_on`; the second signal asks it to end, the third, or five seconds, kill it. When the
    wait is ended by an error (the time limit), the command and all that it started are asked to end, and killed two seconds later."""
    child = _start(command, variables)
    signals = _Signals(child, goes_on)
    before = {number: signal.signal(number, signals) for number in interrupt.heeded()}
    try:
        code = child.wait()
    except BaseException:
        _end(child)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.close()
    return Ending(128 - code if code < 0 else code, signals.first)


class _Signals:
    """What seeder gets while the command runs. What takes its time is done by timers: a handler may be interrupted by the next."""

    def __init__(self, child: subprocess.Popen[Any], goes_on: Callable[[], None]) -> None:
        self.first: int | None = None
        self._child = child
        self._ends = 0
        self._telling = threading.Timer(_TELL_SECONDS, goes_on)
        self._killing = threading.Timer(_KILL_SECONDS, child.kill)

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.first = self.first or number
        self._ends += number != signal.SIGHUP  # a terminal that is closed may say so more than once
        if self._child.poll() is not None:
            return
        if number == signal.SIGHUP or self._ends == 1:
            self._pass_on(number)
        elif self._ends == 2:  # noqa: PLR2004  (asked twice)
            self._child.terminate()
            self._killing.start()
        else:
            self._child.kill()

    def _pass_on(self, number: int) -> None:
        if not (number == signal.SIGINT and _in_foreground()):
            self._child.send_signal(number)
        if self._ends == 1 and self._telling.ident is None:
            self._telling.start()

    def close(self) -> None:
        """The command has ended."""
        for timer in (self._telling, self._killing):
            timer.cancel()
            if timer.ident is not None:
                timer.join()


def _start(command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[Any]:
    try:
        return subprocess.Popen(list(command), env={**os.environ, **variables})
    except FileNotFoundError as error:
        raise NotFound(command[0], "no such command, or its interpreter is missing", "look at its first line") from error
    except OSError as error:
        raise NotExecutable(command[0], f"cannot be executed: {error.strerror}", "check its file type and permissions") from error


def _end(child: subprocess.Popen[Any]) -> None:
    """A shell goes away alone, and what it waited for would go on while evidence is taken. A group of its own, which could be signalled
    as one, the command cannot have: it is in the terminal's."""
    if child.poll() is None and (who := living.identity(child.pid)):
        living.end(who, grace=_END_SECONDS)
    child.wait()


def _in_foreground() -> bool:
    """Whether a Ctrl-C of the terminal reaches this process and all of its group; CI systems signal a single process."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
