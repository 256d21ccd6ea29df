"""What commands share that work on an environment that is there: `--run RUN`, and finding it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli._terminal import say

if TYPE_CHECKING:
    from seeder.events import Event
    from seeder.present import Present

RUN_HELP = "The environment: its id or a beginning of it. May be left out when one is alive."


def run_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--run RUN`: which environment is meant."""
    return click.option("--run", "run", metavar="RUN", help=RUN_HELP)(function)


def found(run: str | None, *, to_end: bool = False) -> Present:
    """The environment that is meant; one whose time is over only by its name, or `to_end`."""
    from seeder import present

    return present.find(run, now(), Path.cwd(), to_end=to_end)


@contextmanager
def explained(one: Present) -> Iterator[None]:
    """What fails in an environment of which something has died is told as that: who asks a store hears only that nobody answers."""
    from seeder import present
    from seeder.errors import EnvironmentFailed, SeederError

    try:
        yield
    except EnvironmentFailed as error:
        with ExitStack() as undo:
            try:
                environment, _ = present.rejoin(one, lambda _: None, undo)
            except SeederError:
                raise error from None
            environment.refuse_ended()
        raise


def told(event: Event) -> None:
    """Of what happens in the environment meanwhile only what is to know is said."""
    from seeder.events import Noticed

    if isinstance(event, Noticed):
        say(f"{event.subject}: {event.message}")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
