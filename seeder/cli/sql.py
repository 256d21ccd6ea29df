"""`seeder sql`: a look into a store."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

from seeder.cli import _inside, _options

if TYPE_CHECKING:
    from seeder.protocols import Queries
    from seeder.target import Target

INSTEAD = {"redis": "redis-cli -u {url}", "nats": "nats --server {url}"}  # what speaks to stores that know no SQL


@click.command()
@click.argument("store")
@_inside.run_option
@click.option("-c", "statement", metavar="STATEMENT", help="Run this one statement and print its rows, tab-separated.")
@_options.as_json
def command(store: str, run: str | None, statement: str | None, as_json: bool) -> None:
    """Open a database client on STORE, in the foreground; with -c, run one statement and print its rows."""
    from seeder import present
    from seeder.cli import _render
    from seeder.errors import UsageError, nearest

    targets = present.targets(_inside.found(run))
    if store not in targets:
        raise UsageError(store, "there is no such store", nearest(store, sorted(targets)))
    target, _ = targets[store]
    engine = _queries(target)
    if statement is None and as_json:
        raise UsageError("--json", "is for the rows of a statement", "add -c STATEMENT")
    if statement is None:
        _open(engine, target)
        return
    rows = engine.query(target, statement)
    if as_json:
        _render.answer(rows)
    else:
        click.echo("".join("\t".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows), nl=False)


def _queries(target: Target) -> Queries:
    from seeder.errors import UsageError
    from seeder.protocols import Queries
    from seeder.registry import ENGINES

    engine = ENGINES.get(target.engine)
    if isinstance(engine, Queries):
        return engine
    client = INSTEAD.get(target.engine, "a client of its own on {url}").format(url=target.url())
    raise UsageError(target.store, f"is {target.engine} and answers no SQL", f"use {client}")


def _open(engine: Queries, target: Target) -> None:
    """The client takes this process's place, so that the terminal and its signals are its own."""
    from seeder.errors import EnvironmentFailed

    words, variables = engine.client(target)
    program = shutil.which(words[0])
    if program is None:
        raise EnvironmentFailed(words[0], "is not on PATH", "install it, or run one statement with -c")
    os.execvpe(program, words, {**os.environ, **variables})  # noqa: S606  (a list, no shell)
