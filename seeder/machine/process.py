"""The one place that starts and ends programs. Whatever is started for a run carries the run's id in its environment (RUN_LABEL).

The label says whose a process is, and a sweep ends what carries it; so it is told to nobody who might hand it on (SEEDER_RUN is).
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import seeder
from seeder.errors import EnvironmentFailed

RUN_LABEL = "SEEDER_OWNER"
_LOOK_SECONDS = 0.1  # between looks whether a silent program has ended


class _Owner:
    """A run that this process works for, and its folder for temporary files; two that say the same are two all the same."""

    def __init__(self, run: str, scratch: Path) -> None:
        self.run, self.scratch = run, scratch


_owned: list[_Owner] = []


@contextmanager
def owned(run: str, scratch: Path) -> Iterator[None]:
    """Every program started inside belongs to the run, whatever environment it is given, unless that says that it belongs to another
    run that this process works for as well; see `scratch`."""
    mine = _Owner(run, scratch)
    _owned.append(mine)
    try:
        yield
    finally:
        _owned.remove(mine)  # it may not be the last: runs in threads end as they like


def scratch() -> Path | None:
    """Where temporary files of the run belong, so that they go with it; None outside a run."""
    return _made(_owned[-1].scratch) if _owned else None


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _labelled(environment: Mapping[str, str] | None) -> dict[str, str]:
    """The label is that of the run under way, whatever run around it this process is of; so are temporary files, unless told. Of several
    under way it is the one that the environment names, else the last."""
    given = dict(os.environ if environment is None else environment)
    if not _owned:
        return given
    owner = next((one for one in _owned if one.run == given.get(RUN_LABEL)), _owned[-1])
    if given.get("TMPDIR") == os.environ.get("TMPDIR"):
        given["TMPDIR"] = str(_made(owner.scratch))
    return {**given, RUN_LABEL: owner.run}


def of_seeder() -> dict[str, str]:
    """The environment of a further process of seeder, which finds it although it may be run from its checkout."""
    root = Path(str(seeder.__file__)).resolve().parents[1]
    if root.name in {"site-packages", "dist-packages"}:
        return dict(os.environ)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))}


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
    remedy: str = "see what it waits for",
) -> Completed:
    """Run to the end and answer how it ended; `on_line` hears each line as it comes.

    `environment` replaces the inherited one. Raises EnvironmentFailed when the program is not there, or when the time
    limit (seconds) is reached: its group is then killed, and `remedy` says what to do.
    """
    with _fed(stdin) as feed, start(command, cwd=cwd, environment=environment, stdin=feed) as child:
        lines: list[str] = []
        deadline = time.monotonic() + timeout
        try:
            for line in _lines(child, deadline):
                lines.append(line)
                if on_line:
                    on_line(line)
            return Completed(child.wait(max(0.0, deadline - time.monotonic())), "\n".join(lines))
        except (TimeoutError, subprocess.TimeoutExpired):
            kill_group(child)
            cause = f"did not end within {timeout:g} s"
            raise EnvironmentFailed(Path(command[0]).name, cause, remedy, log="\n".join(lines[-20:])) from None
        except BaseException:
            kill_group(child)
            raise


@contextmanager
def _fed(text: str | None) -> Iterator[int | IO[bytes]]:
    """What a program reads: a file, so that neither side waits for the other to read first."""
    if text is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _lines(child: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """What the program writes, until it has ended. Raises TimeoutError at the deadline.

    The pipe's end is not awaited: a daemon that the program left behind may hold it open.
    """
    assert child.stdout, "started with a pipe"  # noqa: S101  (by `run` alone)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            ended, left = child.poll() is not None, deadline - time.monotonic()
            if left <= 0 and not ended:
                raise TimeoutError
            if not selector.select(0 if ended else min(_LOOK_SECONDS, left)):
                if ended:
                    break
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk or left <= 0:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
    if rest:
        yield rest.decode("utf-8", "replace")


def start(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.PIPE,
    owned: bool = True,
) -> subprocess.Popen[bytes]:
    """Start in a session of its own, both streams going to `output`. Of the run under way unless `owned` says that it outlives that.
    Raises EnvironmentFailed when it cannot be started."""
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env=_labelled(environment) if owned else environment,
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
