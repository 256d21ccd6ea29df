"""`seeder init`: a first definition for a compose file that knows nothing of seeder."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options
from seeder.cli._terminal import near, say, styled

if TYPE_CHECKING:
    from seeder.definition.stack import Stack

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
MANIFEST, EXTENSION = "manifest.yaml", "compose.seeder.yaml"


@click.command()
@click.argument("compose", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="The project's name; that of the folder by default.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@_options.as_json
def command(compose: Path | None, name: str | None, force: bool, as_json: bool) -> int:
    """Write manifest.yaml and compose.seeder.yaml beside COMPOSE (compose.yaml of this folder by default), which stays as it is.

    Finds stores, what migrates them, and commands that run without containers; says in comments what it does not know.
    """
    from seeder import check
    from seeder.cli import _render

    file = _compose(compose)
    stack = _stack(file, _name(name, file.parent))
    written = _texts(file, stack)
    changed = _write(file.parent, written, force=force)
    found = check.check_project(file.parent, os.environ, datetime.datetime.now(datetime.UTC)).errors
    hints = [problem for problem in found if problem in stack.hints]  # variables that a run needs, and what is written here does not
    errors = [problem for problem in found if problem not in hints]
    if as_json:
        files = [str(file.parent / each) for each in written]
        told = {"errors": errors, "hints": hints}
        shown = {kind: [_render.problem_json(problem) for problem in problems] for kind, problems in told.items()}
        _render.answer({"written": files, **shown})
        return 2 if errors else 0
    for each in written:
        say(f"{'wrote' if each in changed else 'unchanged:'} {near(str(file.parent / each))}")
    for problem in hints:
        say(f"{styled('hint', fg='yellow', bold=True)}: {near(str(problem))}")
    for problem in errors:
        _render.failure(str(problem))
    say("to be mended first; then: seeder plan" if errors else "next: read them, then `seeder plan` and `seeder run -- COMMAND`")
    return 2 if errors else 0


def _compose(given: Path | None) -> Path:
    from seeder.errors import UsageError

    if given is not None:
        if not given.is_file():
            raise UsageError(str(given), "there is no such file", "name a compose file")
        return given.absolute()
    for name in NAMES:
        if (file := Path.cwd() / name).is_file():
            return file
    raise UsageError("init", f"there is no {' or '.join(NAMES)} in this folder", "name the compose file: seeder init FILE")


def _name(given: str | None, folder: Path) -> str:
    from seeder.definition.fields import NAME
    from seeder.errors import UsageError

    if given is not None and not NAME.fullmatch(given):
        remedy = "use small letters, digits, - and _, and begin with a letter or digit"
        raise UsageError(f"--name {given}", "is not a name for a project", remedy)
    return given or re.sub(r"[^a-z0-9_-]", "-", folder.name.lower()).strip("-_") or "project"


def _stack(file: Path, name: str) -> Stack:
    """The stack as far as it says what it is made of: it may need variables that are not set here."""
    from seeder.definition.compose import read_stack
    from seeder.definition.manifest import StackEntry
    from seeder.registry import traits

    return read_stack(StackEntry(name, "0.1.0", (file, *_overrides(file))), environment=os.environ, engines=traits(), unset=True)


def _texts(file: Path, stack: Stack) -> Mapping[str, str]:
    from seeder.cli import _adopt, _adopt_text

    return {
        EXTENSION: _adopt_text.extension(file.name, _adopt.findings(stack)),
        MANIFEST: _adopt_text.manifest(stack.name, [file.name, *(each.name for each in _overrides(file)), EXTENSION]),
    }


def _overrides(file: Path) -> list[Path]:
    """What compose itself would merge when it is started in this folder."""
    if file.name not in NAMES:
        return []
    names = [f"{stem}.override.{end}" for stem in ("compose", "docker-compose") for end in ("yaml", "yml")]
    return [file.parent / name for name in names if (file.parent / name).is_file()][:1]


def _write(folder: Path, texts: Mapping[str, str], *, force: bool) -> set[str]:
    """The names of those that were written, all or nothing; files that hold exactly this already are no obstacle, and stay."""
    from seeder.errors import Collector, UsageError

    problems, changed = Collector(), dict[str, str]()
    for name, text in texts.items():
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
            continue
        changed[name] = text
        if path.exists() and not force:
            problems.add(str(path), "is there already and holds something else", "seeder init --force replaces it")
    problems.raise_if_any(UsageError)
    for name, text in changed.items():
        (folder / name).write_text(text, encoding="utf-8")
    return set(changed)
