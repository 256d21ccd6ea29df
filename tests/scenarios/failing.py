"""What tests of failures share: a spoiled project, a terminal, a filesystem with an edge, and what must hold at the end."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.evidence import bundle
from seeder.wait import READY, Verdict, not_yet, wait_for
from tests.scenarios.seeder import SEEDER, Said, leftovers, run_id, seeder, until

WORDS = ("run", "small", "--scenario", "ready", "--runtime")


def run(folder: Path, runtime: str, *command: str, options: tuple[str, ...] = (), **variables: str) -> Said:
    """`seeder run` of the small project."""
    return seeder(*WORDS, runtime, *options, "--", *(command or ("true",)), cwd=folder, **variables)


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old` of a file."""
    path = folder / file
    text = path.read_text()
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1))


def web(folder: Path, program: str) -> None:
    """Another program for the service of the small project."""
    (folder / "web" / "web.py").write_text(program)


def result(folder: Path) -> dict[str, object]:
    """result.json of the project's only run."""
    return json.loads((folder / ".seeder" / "runs" / run_id(folder) / "result.json").read_text())


def proper(said: Said, code: int, *phrases: str) -> None:
    """The code, every phrase in what was said, and no traceback."""
    assert said.code == code, said.err
    for phrase in phrases:
        assert phrase in said.err, said.err
    assert "Traceback" not in said.err
    assert "defect of seeder" not in said.err


def gone(folder: Path, home: Path) -> None:
    """Nothing of the project's only run is left on the machine. A seeder of another test may be at its removal, and be done at once."""
    run = run_id(folder)

    def look() -> Verdict:
        left = leftovers(run, home)
        return not_yet(", ".join(left)) if left else READY

    wait_for(f"run {run}", look, within=5)


def evidence(folder: Path) -> Path:
    """The bundle of the project's only run, verified."""
    return bundle.verify(folder / ".seeder" / "bundles" / run_id(folder)).path


class Terminal:
    """`seeder WORDS` as the foreground group of a terminal of its own."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self._master, slave = pty.openpty()
        # The leader of a session that has no terminal gets the one that it opens first.
        script = 'exec 0<>"$0" 1>&0 2>&1; exec "$@"'
        command = ["sh", "-c", script, os.ttyname(slave), *SEEDER, *words]
        environment = {**os.environ, "TERM": "xterm"}
        environment.pop("CI", None)
        self.child = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._said, self._open = b"", True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return self._said.decode(errors="replace").replace("\r\n", "\n")

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def shows(self, text: str) -> None:
        """Wait until the text is there."""
        until(f"{text!r} on the terminal", lambda: text in self.text or self.child.poll() is not None)
        assert text in self.text, self.text

    def ends(self, within: float = 60) -> int:
        """Wait for the end; the exit code."""
        code = self.child.wait(within)
        self._reader.join(5)
        return code

    def hang_up(self) -> None:
        """Close the terminal, as the end of an ssh connection does."""
        self._open = False
        self._reader.join()
        os.close(self._master)

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self._open:
            self.hang_up()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how the end of a terminal reads
            while self._open:
                if select.select([self._master], [], [], 0.05)[0]:
                    self._said += os.read(self._master, 65536)


@contextlib.contextmanager
def terminal(*words: str, cwd: Path) -> Iterator[Terminal]:
    """A terminal in which `seeder WORDS` runs."""
    opened = Terminal(*words, cwd=cwd)
    try:
        yield opened
    finally:
        opened.close()


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Something mounted on the folder; the test is skipped where that is not allowed."""
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
