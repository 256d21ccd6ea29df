"""`seeder toxiproxy`: the proxy that seeder brings, by itself, for whoever speaks Toxiproxy's API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seeder.cli._terminal import say
from seeder.errors import EnvironmentFailed, UsageError


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8474, show_default=True, help="Of its API, on 127.0.0.1; 0: any that is free."
)
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="A JSON file of proxies to begin with, as POST /populate takes."
)
@click.option("--seed", type=int, help="Of what is left to chance: jitter, toxicity, sizes of slices.")
def command(port: int, config: Path | None, seed: int | None) -> None:
    """Serve the HTTP API of Toxiproxy 2.12 until it is interrupted: all its routes and toxics, for its clients in any language. It
    listens on 127.0.0.1 alone, and so do its proxies."""
    from seeder.registry import serve_proxies

    try:
        serve_proxies(port, seed=seed, proxies=_read(config) if config else (), tell=say)
    except OSError as error:
        raise EnvironmentFailed(f"toxiproxy 127.0.0.1:{port}", f"cannot listen there: {error.strerror}", "choose another --port") from error
    except ValueError as error:
        raise UsageError(f"--config {config}", str(error), "write a list of objects with name, listen and upstream") from error


def _read(config: Path) -> Any:
    try:
        return json.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"--config {config}", "there is no such file") from None
