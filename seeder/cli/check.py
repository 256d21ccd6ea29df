"""`seeder check`: everything that is wrong with the definition, at once."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options
from seeder.cli._annotations import annotate
from seeder.cli._terminal import near, say, styled
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.errors import Problem


@click.command()
@_options.project
@_options.overlay
@_options.as_json
def command(project: Path | None, overlays: tuple[Path, ...], as_json: bool) -> int:
    """Report everything wrong with the project's files at once; start nothing.

    Errors (exit 2) are what a run would be refused for; hints are what works and should be looked at.
    """
    from seeder import check
    from seeder.cli import _render

    found = check.check_project(project or Path.cwd(), os.environ, datetime.datetime.now(datetime.UTC), overlays)
    if as_json:
        shown = {name: [_render.problem_json(p) for p in problems] for name, problems in vars(found).items()}
        _render.answer(shown)
    else:
        _tell("error", "red", found.errors)
        _tell("hint", "yellow", found.hints)
        say(f"{counted(len(found.errors), 'error')}, {counted(len(found.hints), 'hint')}")
    annotate(found.errors)
    annotate(found.hints, "warning")
    return 2 if found.errors else 0


def _tell(word: str, colour: str, problems: Iterable[Problem]) -> None:
    for problem in problems:
        say(f"{styled(word, fg=colour, bold=True)}: {near(str(problem))}")
