"""`seeder reset`: take an environment back to the state in which it was handed over."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Literal

import click

from seeder.cli import _inside, _options
from seeder.cli._terminal import say


@click.command()
@click.argument("run", required=False)
@click.option(
    "--way",
    type=click.Choice(["in-place", "swap"]),
    default="in-place",
    show_default=True,
    help="Give back what changed while connections stay, or replace whole databases.",
)
@_options.as_json
def command(run: str | None, way: Literal["in-place", "swap"], as_json: bool) -> None:
    """Take the stores of RUN back to the state in which `seeder up` handed it over; services go on."""
    from seeder import present
    from seeder.cli import _render
    from seeder.stages import reset

    with ExitStack() as undo:
        environment, plan = present.rejoin(_inside.found(run), _inside.told, undo)
        found = reset.reset(environment, plan, "swap" if way == "swap" else "in place")
    if as_json:
        _render.answer({store: {**asdict(one), "way": _word(one.way)} for store, one in sorted(found.items())})
        return
    for store, one in sorted(found.items()):
        if one.restart:
            say(f"{store}: {one.restart}: services that use it started anew, unless they say that they connect again")
    rows = [{"store": store, "way": _word(one.way), "changed": ", ".join(one.changed) or "-"} for store, one in sorted(found.items())]
    _render.show(rows, "the environment has no stores")


def _word(way: str) -> str:
    """As the option has it: one word."""
    return way.replace(" ", "-")
