"""`seeder gc`: what nobody needs any more goes."""

from __future__ import annotations

import click

from seeder.cli import _inside, _options
from seeder.cli._terminal import say
from seeder.errors import counted


@click.command()
@_options.as_json
def command(as_json: bool) -> None:
    """Remove environments that expired, what runs left whose seeder died, and images that were layers and have lost their name: by claim,
    label and time, never by name."""
    from seeder import warden
    from seeder.cli import _render
    from seeder.errors import LeftOver
    from seeder.reuse import room

    swept = warden.sweep_expired(_inside.now())
    strays = room.forget_strays()
    if as_json:
        _render.answer([{"run": run, "removed": list(each.removed), "left": list(each.left)} for run, each in swept])
    else:
        gone = [(run, each) for run, each in swept if not each.left]
        for run, each in gone:
            say(f"run {run}: {_render.kinds(each.removed) or 'nothing was left of it'}")
        also = f" and {counted(len(strays), 'nameless image')} of layers" if strays else ""
        say(f"{counted(len(gone), 'run')}{also} removed")
    left = [f"{run}: {what}" for run, each in swept for what in each.left]
    if left:
        lasting = any(each.lasting for _, each in swept)
        remedy = "once that is mended: `seeder gc`" if lasting else "`seeder doctor` looks closer; then try again"
        raise LeftOver("gc", f"could not be removed: {', '.join(left)}", remedy)
