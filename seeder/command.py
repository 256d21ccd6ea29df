"""The wrapped command: in the terminal's foreground group, with inherited streams; its exit code is the run's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from seeder.errors import SeederError

FORWARDED = (signal.SIGTERM, signal.SIGHUP)


class NotFound(SeederError):
    """There is no such command."""

    code = run_code = 127
    ended_by = "command not found"


class NotExecutable(SeederError):
    """The command's file cannot be executed."""

    code = run_code = 126
    ended_by = "command not executable"


@dataclass(frozen=True)
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


def run(command: Sequence[str], variables: Mapping[str, str]) -> Ending:
    """Run in the foreground and wait. SIGINT reaches the command from the terminal, SIGTERM and SIGHUP are passed on to it."""
    got: list[int] = []
    child = _start(command, variables)

    def note(number: int, _: FrameType | None) -> None:
        got.append(number)
        if number in FORWARDED and child.poll() is None:
            child.send_signal(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, *FORWARDED)}
    try:
        code = child.wait()
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return Ending(128 - code if code < 0 else code, got[0] if got else None)


def _start(command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[Any]:
    try:
        return subprocess.Popen(list(command), env={**os.environ, **variables})
    except FileNotFoundError as error:
        raise NotFound(command[0], "no such command, or its interpreter is missing", "look at its first line") from error
    except OSError as error:
        raise NotExecutable(command[0], f"cannot be executed: {error.strerror}", "check its file type and permissions") from error
