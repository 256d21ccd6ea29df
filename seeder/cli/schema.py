"""`seeder schema`: what a file may hold, for editors and validators."""

from __future__ import annotations

import click

from seeder.cli import _options


@click.command()
@click.argument("kind", required=False)
@_options.as_json
def command(kind: str | None, as_json: bool) -> None:
    """Print the JSON Schema (2020-12) of a file KIND; without KIND, list the kinds."""
    from seeder.cli import _render
    from seeder.definition.schema import KINDS, schema

    if kind is not None:
        _render.answer(schema(kind))
    elif as_json:
        _render.answer(list(KINDS))
    else:
        click.echo("\n".join(KINDS))
