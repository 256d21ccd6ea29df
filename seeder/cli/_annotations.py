"""Problems as GitHub shows them beside the lines of a pull request."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seeder.cli import _terminal

if TYPE_CHECKING:
    from seeder.errors import Problem


def annotate(problems: Iterable[Problem], level: Literal["error", "warning"] = "error") -> None:
    """One annotation for each, where GitHub reads the log."""
    for problem in problems if _terminal.on_github() else ():
        text = f"{problem.cause}. {problem.remedy}" if problem.remedy else problem.cause
        place = ""
        if problem.mark:
            place = f"file={_property(_relative(problem.mark.file))},line={problem.mark.line},"
        _terminal.mark(f"::{level} {place}title={_property(problem.subject)}::{_message(text)}")


def annotate_places(problems: Iterable[Problem]) -> None:
    """The same of those that stand in a line of a file."""
    annotate(problem for problem in problems if problem.mark)


def _relative(file: Path) -> str:
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
