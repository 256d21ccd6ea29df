"""Sorts any number of lines by their bytes in little memory."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

LIMIT = 64 << 20  # bytes held at once


def ordered(lines: Iterable[bytes], limit: int = LIMIT) -> Iterator[bytes]:
    """The lines, each ending with a newline and holding no other, in the order of their bytes. Beyond `limit` bytes they are
    sorted in parts, which lie in temporary files until they have been read."""
    with ExitStack() as files:
        parts: list[Iterable[bytes]] = []
        held: list[bytes] = []
        size = 0
        for line in lines:
            held.append(line)
            size += len(line)
            if size >= limit:
                parts.append(_stored(held, files))
                held, size = [], 0
        held.sort()
        yield from heapq.merge(*parts, held) if parts else held


def _stored(lines: list[bytes], files: ExitStack) -> Iterable[bytes]:
    part = files.enter_context(tempfile.TemporaryFile(prefix="seeder-"))  # noqa: SIM115  (the stack closes it)
    part.writelines(sorted(lines))
    part.seek(0)
    return part
