"""`seeder logs`: what services write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from seeder.cli import _inside, _options

if TYPE_CHECKING:
    from seeder.environment import Environment
    from seeder.wait import Verdict

AGES = 365 * 86400.0  # following ends when the environment or the user ends it


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@_inside.run_option
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of each.")
@click.option("--follow", "-f", is_flag=True, help="Go on printing until interrupted, or until the environment is gone.")
@_options.as_json
def command(services: tuple[str, ...], run: str | None, tail: int | None, follow: bool, as_json: bool) -> None:
    """Print the logs of an environment's services (of all, without SERVICE)."""
    from seeder import present
    from seeder.cli import _render
    from seeder.errors import UsageError, nearest

    if follow and as_json:
        raise UsageError("--json", "cannot be followed", "leave out --follow")
    with ExitStack() as undo:
        environment, _ = present.rejoin(_inside.found(run), lambda _: None, undo)
        known = sorted(environment.stack.services)
        for name in services:
            if name not in known:
                raise UsageError(name, "the stack has no such service", nearest(name, known))
        wanted = services or tuple(known)
        if as_json:
            _render.answer({name: environment.deployment.logs(name, tail) for name in wanted})
        else:
            _print(environment, wanted, tail, follow=follow)


def _print(environment: Environment, services: Sequence[str], tail: int | None, *, follow: bool) -> None:
    whole = {name: environment.deployment.logs(name) for name in services}
    for name, text in whole.items():
        lines = text.splitlines()
        _lines(name, lines if tail is None else lines[len(lines) - min(tail, len(lines)) :], several=len(services) > 1)
    if follow:
        _follow(environment, services, {name: len(text) for name, text in whole.items()})


def _follow(environment: Environment, services: Sequence[str], shown: dict[str, int]) -> None:
    """Whole lines only: what has no end yet is printed once it has. Ends when there is nothing to read from any more."""
    from seeder.errors import SeederError
    from seeder.wait import READY, not_yet, wait_for

    def look() -> Verdict:
        if not environment.run.folder.exists():
            return READY
        for name in services:
            try:
                text = environment.deployment.logs(name)
            except SeederError:
                return READY
            end = text.rfind("\n") + 1
            if end > shown[name]:
                _lines(name, text[shown[name] : end].splitlines(), several=len(services) > 1)
                shown[name] = end
        return not_yet("following")

    wait_for("logs", look, within=AGES, first=0.2, longest=0.5)


def _lines(name: str, lines: Sequence[str], *, several: bool) -> None:
    """With the service's name before each line where there are several services."""
    prefix = f"{name} | " if several else ""
    click.echo("".join(f"{prefix}{line}\n" for line in lines), nl=False)
