"""The page that GitHub shows of a job: Markdown, to which each of its steps appends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

VARIABLE = "GITHUB_STEP_SUMMARY"  # names the file


def append(markdown: Callable[[], str]) -> None:
    """Append where there is a page; one that cannot be written changes nothing of what is told there."""
    if path := os.environ.get(VARIABLE):
        with contextlib.suppress(OSError), Path(path).open("a", encoding="utf-8") as page:
            page.write(markdown())


def code(text: str) -> str:
    """As code in a cell of a table, where a bar would end it."""
    return f"`{text.replace('`', chr(39)).replace('|', '/')}`"
