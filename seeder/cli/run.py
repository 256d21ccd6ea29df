"""`seeder run`: a command inside a fresh environment."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options, _runs

if TYPE_CHECKING:
    from seeder.definition.request import Request


class Wrapping(click.Command):
    """Everything after the first `--` is the wrapped command, whatever it looks like; STACK is never taken from there."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        left = super().parse_args(ctx, args[:end])
        ctx.params["words"] = tuple(args[end + 1 :])
        return left

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- CMD ..."]


@click.command(cls=Wrapping)
@_options.request
@click.option("--keep", is_flag=True, help="Leave the environment running in any case.")
@click.option("--keep-failed", is_flag=True, help="Leave the environment running when something failed.")
@click.option("--ttl", default="4h", show_default=True, callback=_options.duration, help="How long a kept environment lives.")
@click.option("--timeout", callback=_options.duration, help="Give up after this long, e.g. 5m.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="Run this many times, each in a fresh environment."
)
@click.option("--scenario-tag", help="Run once for each scenario with this tag.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the command's own output, errors, and what is kept running.")
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
    from seeder import decide
    from seeder.definition.request import find_project, resolve
    from seeder.errors import UsageError
    from seeder.passed.options import Options
    from seeder.registry import traits

    if not words:
        raise UsageError("run", "no command was given", "write it after `--`, e.g. seeder run shop -- pytest; `seeder up` needs none")
    if scenario_tag and request.scenario:
        raise UsageError("--scenario-tag", "chooses scenarios, and --scenario names one", "leave one of them out")
    manifest = find_project(project, request.overlays)
    wanted = [request]
    if scenario_tag:
        wanted = [dataclasses.replace(request, scenario=name) for name in _runs.tagged(manifest, scenario_tag, "--scenario-tag")]
    engines = traits()
    plans = [decide.plan(resolve(manifest, each, engines)) for each in wanted]
    options = Options(words, keep, keep or keep_failed, datetime.timedelta(seconds=ttl), timeout)
    return _runs.code(_runs.one_by_one(plans * repeat, options, quiet=quiet))
