"""`seeder run`: a command inside a fresh environment."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options

if TYPE_CHECKING:
    from seeder.definition.request import Request
    from seeder.definition.scenario import Scenario


def duration(_context: click.Context, _parameter: click.Parameter, given: str | None) -> float | None:
    """A click callback: `90s`, `5m`, `4h` to seconds."""
    from seeder.definition.duration import seconds
    from seeder.errors import SeederError, UsageError

    if given is None:
        return None
    try:
        return seconds(given)
    except (ValueError, SeederError) as error:
        raise UsageError(f"--{_parameter.name} {given}", "is not a duration", "write it like 90s, 5m or 4h") from error


@click.command()
@_options.request
@click.option("--keep", is_flag=True, help="Leave the environment running in any case.")
@click.option("--keep-failed", is_flag=True, help="Leave the environment running when something failed.")
@click.option("--ttl", default="4h", callback=duration, help="How long a kept environment lives.")
@click.option("--timeout", callback=duration, help="Give up after this long, e.g. 5m.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="Run this many times, each in a fresh environment.")
@click.option("--scenario-tag", help="Run once for each scenario with this tag.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the command's own output and errors.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- CMD ...")
def command(
    request: Request,
    project: Path | None,
    keep: bool,
    keep_failed: bool,
    ttl: float,
    timeout: float | None,
    repeat: int,
    scenario_tag: str | None,
    quiet: bool,
    words: tuple[str, ...],
) -> int:
    """Run CMD inside a fresh, isolated, migrated and seeded environment of STACK.

    Ends with the command's own exit code; else 125 definition or usage, 124 time limit, 123 environment not provided,
    122 refused by a gate or expectation, 121 something was left over, 126 and 127 for a command that cannot be run.
    """
    from seeder import lifecycle
    from seeder.cli import _render
    from seeder.definition.request import find_project, resolve
    from seeder.errors import UsageError

    if not words:
        raise UsageError("run", "no command was given", "write it after `--`, e.g. seeder run shop -- pytest; `seeder up` needs none")
    manifest = find_project(project)
    wanted = [request]
    if scenario_tag:
        wanted = [dataclasses.replace(request, scenario=name) for name in _tagged(manifest.scenarios, scenario_tag)]
    plans = [lifecycle.plan(resolve(manifest, each)) for each in wanted]
    options = lifecycle.Options(words, keep, keep or keep_failed, datetime.timedelta(seconds=ttl), timeout)
    worst = 0
    for plan in plans * repeat:
        result = lifecycle.run(plan, options, _render.listener(quiet=quiet))
        if not quiet or (result.code and result.ended_by != "command"):
            click.echo(_render.summary(result), err=True)
        worst = worst or result.code
        if result.ended_by == "signal":
            break
    return worst


def _tagged(scenarios: Mapping[str, Scenario], tag: str) -> list[str]:
    from seeder.errors import UsageError, nearest

    found = sorted(name for name, scenario in scenarios.items() if tag in scenario.tags)
    if not found:
        known = sorted({t for scenario in scenarios.values() for t in scenario.tags})
        raise UsageError(f"--scenario-tag {tag}", "no scenario has this tag", nearest(tag, known))
    return found
