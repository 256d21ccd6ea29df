"""`seeder sql`: a look into a store."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import click

from seeder.cli import _inside, _options
from seeder.cli._terminal import say

if TYPE_CHECKING:
    from seeder.passed.content import Answer
    from seeder.passed.target import Target
    from seeder.protocols import Queries

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


@click.command()
@click.argument("store")
@_inside.run_option
@click.option("-c", "statement", metavar="STATEMENT", help="Run this statement and print its rows, as COPY writes them.")
@click.option("--header", is_flag=True, help="The columns' names before the rows.")
@_options.as_json
def command(store: str, run: str | None, statement: str | None, header: bool, as_json: bool) -> None:
    """Open a client of STORE, in the foreground; with -c, run a statement (or several) and print the rows.

    Values are separated by tabs; NULL is \\N, and a tab, a line break or a backslash in a value is \\t, \\n, \\\\.
    """
    from seeder import present
    from seeder.cli import _render
    from seeder.definition.request import named
    from seeder.errors import UsageError

    one = _inside.found(run)
    targets = present.targets(one)
    target, _ = named(targets, store, "store")
    if statement is None and (as_json or header):
        raise UsageError("--json" if as_json else "--header", "is for the rows of a statement", "add -c STATEMENT")
    if statement is None:
        _open(target)
        return
    with _inside.explained(one):
        if as_json:
            _render.answer(_queries(target).query(target, statement))
            return
        for answer in _queries(target).answers(target, statement):
            _print(answer, header=header)


def _print(answer: Answer, *, header: bool) -> None:
    lines = [answer.columns, *answer.rows] if header else answer.rows
    if answer.returns:
        click.echo("".join("\t".join(map(_copied, line)) + "\n" for line in lines), nl=False)
    if answer.changed is not None:
        say(f"{answer.changed} row{'' if answer.changed == 1 else 's'} changed")


def _copied(value: str | None) -> str:
    """As COPY writes it in its text format."""
    return "\\N" if value is None else value.translate(ESCAPES)


def _queries(target: Target) -> Queries:
    from seeder.errors import UsageError
    from seeder.protocols import Opens, Queries
    from seeder.registry import ENGINES

    engine = ENGINES.get(target.engine)
    if isinstance(engine, Queries):
        return engine
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
