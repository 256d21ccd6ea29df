"""`seeder down`: an environment ends."""

from __future__ import annotations

from collections.abc import Sequence

import click

from seeder.cli import _inside, _options
from seeder.cli._terminal import say


@click.command()
@click.argument("run", required=False)
@click.option("--force", is_flag=True, help="Even if its seeder still runs, nobody here claims it, or where it lived is lost.")
@_options.as_json
def command(run: str | None, force: bool, as_json: bool) -> None:
    """End RUN and remove everything that it owns. RUN may be left out when one environment is alive, or none is and one has expired."""
    from seeder import present, warden
    from seeder.cli import _render
    from seeder.errors import EnvironmentFailed, LeftOver, UsageError

    try:
        one = _inside.found(run, to_end=True)
    except UsageError:
        strangers = [s for s in present.labelled(_inside.now()) if run and s.run == run] if force else []
        if not strangers:
            raise
        one = strangers[0]
        if one.state == "foreign":
            say(f"note: nobody here claims run {run}; a seeder that is at work in it, another user's or of another SEEDER_HOME, fails")
    if one.state == "alive" and one.claim and not force:
        cause = f"its seeder still runs (pid {one.claim.process.pid}) and ends it"
        raise EnvironmentFailed(one.run, cause, f"interrupt that one, or seeder down --force {one.run}")
    swept = warden.sweep(one.run, one.runtime, anywhere=force)
    if as_json:
        _render.answer({"run": one.run, "removed": list(swept.removed), "left": list(swept.left)})
    given_up = force and swept.lasting
    if swept.left and not given_up:
        again = f"once that is mended: `seeder down {one.run}`; with --force it is given up"
        remedy = again if swept.lasting else "`seeder doctor` looks closer; then try again"
        raise LeftOver(one.run, f"could not be removed: {', '.join(swept.left)}", remedy)
    if not as_json:
        say(f"run {one.run} is down: {_render.kinds(swept.removed) or 'nothing'} removed, {_left(swept.left)}")


def _left(given_up: Sequence[str]) -> str:
    return f"and given up: {', '.join(given_up)}" if given_up else "nothing left"
