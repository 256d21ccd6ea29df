"""`seeder sql`: a look into a store."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _inside, _options

if TYPE_CHECKING:
    from seeder.target import Target


@click.command()
@click.argument("store")
@_inside.run_option
@click.option("-c", "statement", metavar="STATEMENT", help="Run this one statement and print its rows, tab-separated.")
@_options.as_json
def command(store: str, run: str | None, statement: str | None, as_json: bool) -> None:
    """Open a database client on STORE, in the foreground; with -c, run one statement and print its rows."""
    from seeder import present
    from seeder.cli import _render
    from seeder.definition.request import named
    from seeder.errors import UsageError

    targets = present.targets(_inside.found(run))
    target, _ = named(targets, store, "store")
    if statement is None and as_json:
        raise UsageError("--json", "is for the rows of a statement", "add -c STATEMENT")
    if statement is None:
        _open(target)
        return
    rows = _rows(target, statement)
    if as_json:
        _render.answer(rows)
    else:
        click.echo("".join("\t".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows), nl=False)


def _rows(target: Target, statement: str) -> list[tuple[Any, ...]]:
    from seeder.errors import UsageError
    from seeder.protocols import Opens, Queries
    from seeder.registry import ENGINES

    engine = ENGINES.get(target.engine)
    if isinstance(engine, Queries):
        return engine.query(target, statement)
    remedy = f"`seeder sql {target.store}` opens its client" if isinstance(engine, Opens) else _other_client(target)
    raise UsageError(target.store, f"is {target.engine} and answers no SQL", remedy)


def _open(target: Target) -> None:
    """The client takes this process's place, so that the terminal and its signals are its own."""
    from seeder.errors import EnvironmentFailed, UsageError
    from seeder.protocols import Opens
    from seeder.registry import ENGINES

    engine = ENGINES.get(target.engine)
    if not isinstance(engine, Opens):
        raise UsageError(target.store, f"is {target.engine}, of which seeder opens no client", _other_client(target))
    words, variables = engine.client(target)
    program = shutil.which(words[0])
    if program is None:
        raise EnvironmentFailed(words[0], "is not on PATH", _other_client(target))
    os.execvpe(program, words, {**os.environ, **variables})  # noqa: S606  (a list, no shell)


def _other_client(target: Target) -> str:
    return f"use a client of your own; it listens at {target.address}, and `seeder env` tells the rest"
