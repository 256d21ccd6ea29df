"""What a team's code prints: told line by line where it belongs, and not in the midst of a command's answer on stdout."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_here = threading.local()  # `lines`: who hears what is printed in this thread
_lock = threading.Lock()
_at_work = 0  # how many hear just now


@contextmanager
def heard(tell: Callable[[str], None]) -> Iterator[None]:
    """Every line that this thread prints to `sys.stdout` is told; what other threads print goes where it always does."""
    lines, before = _Lines(tell), getattr(_here, "lines", None)
    with _in_place():
        _here.lines = lines
        try:
            yield
        finally:
            _here.lines = before
            lines.close()


class _Lines:
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._begun = tell, ""

    def write(self, text: str) -> None:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._tell(line)

    def close(self) -> None:
        if self._begun:
            self._tell(self._begun)


class _Stdout:
    """The program's stdout, but for threads that somebody hears."""

    def __init__(self, real: TextIO) -> None:
        self.real = real

    def write(self, text: str) -> int:
        lines: _Lines | None = getattr(_here, "lines", None)
        if lines is None:
            return self.real.write(text)
        lines.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@contextmanager
def _in_place() -> Iterator[None]:
    """Ours stands for `sys.stdout` as long as anybody hears; it is one for all threads."""
    global _at_work  # noqa: PLW0603  (as is what it counts)
    with _lock:
        _at_work += 1
        if not isinstance(sys.stdout, _Stdout):
            sys.stdout = cast("TextIO", _Stdout(sys.stdout))
    try:
        yield
    finally:
        with _lock:
            _at_work -= 1
            if not _at_work and isinstance(sys.stdout, _Stdout):
                sys.stdout = sys.stdout.real
