"""`seeder up`: an environment that stays until it is ended or expires."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seeder.cli import _options

if TYPE_CHECKING:
    from seeder.definition.request import Request
    from seeder.passed.operation import Plan

CODES = {0: 0, 122: 4, 125: 2}  # `run`'s codes as all other commands have them; whatever else ended it, the environment did


@click.command()
@_options.request
@_options.as_json
@click.option("--ttl", default="4h", show_default=True, callback=_options.duration, help="How long it lives.")
@click.option("--timeout", callback=_options.duration, help="Give up after this long, e.g. 5m.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors, and how to reach it.")
def command(request: Request, project: Path | None, as_json: bool, ttl: float, timeout: float | None, quiet: bool) -> int:
    """Start an environment of STACK, migrated, seeded and checked, and leave it running until `seeder down` or its expiry."""
    from seeder import decide
    from seeder.definition.request import find_project, resolve
    from seeder.registry import traits

    plan = decide.plan(resolve(find_project(project, request.overlays), request, traits()))
    return stay(plan, ttl, timeout, as_json=as_json, quiet=quiet)


def stay(plan: Plan, ttl: float, timeout: float | None, *, as_json: bool, quiet: bool) -> int:
    """Bring up what the plan says and leave it running; the exit code."""
    from seeder import lifecycle
    from seeder.cli import _render
    from seeder.passed.options import Options

    options = Options(keep_good=True, marks=True, ttl=datetime.timedelta(seconds=ttl), timeout=timeout)
    if not (quiet or as_json):
        _render.beginning(plan)
    result = lifecycle.run(plan, options, _render.listener(quiet=quiet or as_json))
    if as_json:
        _render.answer(result.as_json())
    if not as_json or result.code:
        _render.closing(result, quiet=quiet)
    if result.ended_by == "signal":
        return result.code
    return CODES.get(result.code, 3)
