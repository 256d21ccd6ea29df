"""What stderr is: a terminal that can be drawn on, a CI's log with folds, or a plain stream."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Literal

import click

Fold = Literal["github", "gitlab"]


def draws() -> bool:
    """Lines may be drawn again and again: a terminal, not a dumb one, not a CI's log."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb") and not os.environ.get("CI")


def colourful() -> bool:
    """https://no-color.org: any value but an empty one switches colours off."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def styled(text: str, **style: Any) -> str:
    """The text in colour where colours are wanted."""
    return click.style(text, **style) if colourful() else text


def gone() -> bool:
    """Whether the current folder was deleted since the shell went there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def near(text: str) -> str:
    """The text with paths below the current folder counted from there."""
    here = "/" if gone() else str(Path.cwd())
    return text if here == "/" else re.sub(rf"(?<![\w./-]){re.escape(here)}/", "", text)


def say(line: str = "") -> None:
    """One line to stderr; stdout belongs to results and to the wrapped command."""
    with contextlib.suppress(OSError):  # the terminal was closed: nobody reads, and there is still work to do
        click.echo(line, err=True, color=colourful())


def mark(line: str) -> None:
    """A line for a CI's log reader; the codes in it are no colours and stay."""
    click.echo(line, err=True, color=True)


def fold() -> Fold | None:
    """Which CI's folding marks its log understands."""
    if on_github():
        return "github"
    return "gitlab" if os.environ.get("GITLAB_CI") == "true" else None


def on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def opened(kind: Fold, name: str, title: str) -> str:
    """The line that begins a folded group."""
    if kind == "github":
        return f"::group::{title}"
    return f"\x1b[0Ksection_start:{int(time.time())}:seeder_{name}[collapsed=true]\r\x1b[0K{title}"


def closed(kind: Fold, name: str) -> str:
    """The line that ends it."""
    return "::endgroup::" if kind == "github" else f"\x1b[0Ksection_end:{int(time.time())}:seeder_{name}\r\x1b[0K"
