"""`seeder dataset publish` and `pull`: versions of datasets, shared over a remote."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options
from seeder.cli._datasets import chosen
from seeder.cli._lines import amount
from seeder.cli._transfers import REMOTE

if TYPE_CHECKING:
    from seeder.datasets.publish import Published
    from seeder.definition.manifest import Manifest


@click.command("publish", epilog=REMOTE)
@click.argument("remote")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@_options.project
@_options.as_json
def publish(remote: str, datasets: tuple[str, ...], project: Path | None, as_json: bool) -> None:
    """Send each DATASET (all without one) with its SHA256SUMS to REMOTE. A version that is published stays what it is."""
    from seeder import registry
    from seeder.datasets import publish
    from seeder.definition.request import find_project

    to = registry.remote(remote)
    _tell([publish.publish(to, one) for one in chosen(find_project(project), datasets)], "published", as_json=as_json)


@click.command("pull", epilog=REMOTE)
@click.argument("remote")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@_options.project
@click.option("--force", is_flag=True, help="Also in place of other content.")
@_options.as_json
def pull(remote: str, datasets: tuple[str, ...], project: Path | None, force: bool, as_json: bool) -> None:
    """Get each DATASET (all without one) from REMOTE into its folder, at the version of the manifest."""
    from seeder import registry
    from seeder.datasets import publish

    of = registry.remote(remote)
    _tell([publish.pull(of, one, force=force) for one in chosen(_project(project), datasets)], "pulled", as_json=as_json)


def _project(folder: Path | None) -> Manifest:
    """The project, whose datasets need not be there yet. Scenarios are of no matter here."""
    from seeder.definition.manifest import find_manifest, survey_project
    from seeder.errors import DefinitionError

    manifest, problems = survey_project(find_manifest(folder or Path.cwd()))
    others = {problem for scenario in manifest.scenarios.values() for problem in scenario.problems} if manifest else set()
    problems = [one for one in problems if one not in others and not re.fullmatch(r"datasets\.\d+\.path", one.subject)]
    if manifest is None or problems:
        raise DefinitionError.of(problems)
    return manifest


def _tell(done: list[Published], verb: str, *, as_json: bool) -> None:
    from seeder.cli import _render

    if as_json:
        states = {"moved": verb, "there": "there"}
        _render.answer([{"dataset": one.label, "state": states[one.state], "bytes": one.length} for one in done])
        return
    for one in done:
        click.echo(f"{verb}: {one.label}, {amount(one.length)}" if one.state == "moved" else f"there already: {one.label}")
