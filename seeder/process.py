"""The one place that starts and ends programs. Whatever is started for a run carries the run's id in its environment (RUN_LABEL)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from seeder.errors import EnvironmentFailed

RUN_LABEL = "SEEDER_RUN"


class Completed:
    """How a program ended: its exit code and what it wrote, both streams in order."""

    def __init__(self, code: int, output: str) -> None:
        self.code = code
        self.output = output

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.output.splitlines()[-lines:])


def run(
    command: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Completed:
    """Run to the end and answer how it ended; `on_line` hears each line as it comes.

    `environment` replaces the inherited one. Raises EnvironmentFailed when the program is not there, or when the time
    limit (seconds) is reached: its group is then killed.
    """
    feed = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    with start(command, cwd=cwd, environment=environment, stdin=feed) as child:
        lines: list[str] = []
        timer = threading.Timer(timeout, kill_group, [child])
        timer.start()
        try:
            if stdin is not None and child.stdin:
                child.stdin.write(stdin.encode())
                child.stdin.close()
            for raw in child.stdout or ():
                line = raw.decode("utf-8", "replace").rstrip("\n")
                lines.append(line)
                if on_line:
                    on_line(line)
            code = child.wait()
        except BaseException:
            kill_group(child)
            raise
        finally:
            expired = not timer.is_alive()
            timer.cancel()
    output = "\n".join(lines)
    if expired and code == -signal.SIGKILL:
        raise EnvironmentFailed(
            Path(command[0]).name,
            f"did not end within {timeout:g} s",
            "raise the time limit",
            log="\n".join(lines[-20:]),
        )
    return Completed(code, output)


def start(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start in a session of its own, both streams going to `output`. Raises EnvironmentFailed when it cannot be started."""
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(environment) if environment is not None else None,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        missing = f"folder {cwd}" if cwd and not cwd.is_dir() else f"program {command[0]}"
        raise EnvironmentFailed(Path(command[0]).name, f"{missing} is not there", "install it, or correct the path") from error
    except OSError as error:
        raise EnvironmentFailed(Path(command[0]).name, f"cannot be started: {error.strerror or error}") from error


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """End a program started by `start` together with everything in its session's group."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:  # macOS answers so for a zombie
        child.kill()


def find(program: str) -> str | None:
    """Where a program is on PATH."""
    return shutil.which(program)
