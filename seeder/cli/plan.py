"""`seeder plan`: what would be done, and why."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options

if TYPE_CHECKING:
    from seeder.definition.request import Request


@click.command()
@_options.request
@_options.as_json
def command(request: Request, project: Path | None, as_json: bool) -> None:
    """Show every operation that `seeder run` would do for STACK, each with its cause, and why what is kept is not that of the last run.
    Starts nothing."""
    from seeder.definition.request import find_project, resolve
    from seeder.evidence.story import chains
    from seeder.order import aside
    from seeder.plan import choose, make  # not by way of lifecycle, which brings what a run needs
    from seeder.registry import traits
    from seeder.reuse import cache, explain

    named = request.runtime
    asked = aside(lambda: choose(named)) if named else None  # Docker takes its time to answer
    manifest = find_project(project, request.overlays)
    chosen = asked or aside(lambda: choose(manifest.defaults.runtime))
    definition = resolve(manifest, request, traits())
    runtime = choose(definition.runtime) if definition.stack.shared else chosen()
    plan = make(definition, *runtime, datetime.datetime.now(datetime.UTC))
    plan = cache.begin(plan)
    changes = explain.changes(plan, chains(definition.manifest.root))
    if as_json:
        from seeder.cli import _render

        _render.answer({**plan.as_json(), "changed": [vars(one) for one in changes]})
    else:
        click.echo(plan.text(), nl=False)
        for one in changes:
            click.echo(f"  since the last run: {one.server or 'through services'}: {one.cause}")
