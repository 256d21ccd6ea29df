"""`seeder env`: where everything of an environment is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import click

from seeder.cli import _inside, _options

BARE = re.compile(r"[\w./:@%+,=-]*", re.ASCII)


@click.command()
@_inside.run_option
@click.option("--format", "form", type=click.Choice(["dotenv", "json", "shell"]), default="dotenv", show_default=True, help="How to print.")
@_options.as_json
def command(run: str | None, form: str, as_json: bool) -> None:
    """Print an environment's addresses and variables, as a wrapped command gets them.

    dotenv is for `.env` files, shell for `eval "$(seeder env --format shell)"`, json holds more: services, stores, outputs.
    """
    from seeder import present
    from seeder.cli import _render

    document = present.document(_inside.found(run))
    if as_json or form == "json":
        _render.answer(document)
        return
    click.echo(shell(document["variables"]) if form == "shell" else dotenv(document["variables"]))


def dotenv(variables: Mapping[str, str]) -> str:
    """NAME=VALUE, in single quotes where the value needs them, so that nothing in it is expanded."""
    return "\n".join(f"{name}={value if BARE.fullmatch(value) else _quoted(value)}" for name, value in variables.items())


def shell(variables: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
