"""`seeder scenario run`: the state is made, acted in and checked, and nothing else is run in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from seeder.cli import _options, _runs
from seeder.definition.variant import MUTATIONS, Mutation
from seeder.errors import UsageError, nearest

if TYPE_CHECKING:
    from seeder.definition.manifest import Manifest
    from seeder.definition.request import Request
    from seeder.evidence.story import Result

EVERY: Final = "mutate"  # all mutations


def _mutations(_: click.Context, __: click.Parameter, text: str | None) -> tuple[Mutation, ...]:
    """What is tried: in the order in which it is known."""
    wanted = [] if text is None else [word.strip().replace("-", "_") for word in text.split(",")]
    if wanted == [EVERY]:
        return MUTATIONS
    for word in wanted:
        if word not in MUTATIONS:
            raise UsageError(f"--events {text}", f"there is no mutation {word!r}", nearest(word, [EVERY, *MUTATIONS]))
    return tuple(one for one in MUTATIONS if one in wanted)


@click.command("run")
@click.argument("name", required=False)
@click.option("--tag", help="Those with this tag.")
@_options.of_scenario
@_options.as_json
@click.option("--keep-failed", is_flag=True, help="Leave the environment running when something failed.")
@click.option("--timeout", callback=_options.duration, help="Give each up after this long, e.g. 5m.")
@click.option("--events", callback=_mutations, help="Try what may go wrong with its events: `mutate` all, or some: missing,late.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors and how each ended.")
def run(
    request: Request,
    project: Path | None,
    name: str | None,
    tag: str | None,
    as_json: bool,
    keep_failed: bool,
    timeout: float | None,
    events: tuple[Mutation, ...],
    quiet: bool,
) -> int:
    """Make the state of NAME in a fresh environment, act in it and check what it expects; of all scenarios without NAME.

    With --events the state before its events is made once; then they are published as they are written, and once for each thing that may go
    wrong, beginning anew each time. Ends as `seeder run` does without a command of its own.
    """
    from seeder import decide
    from seeder.cli import _render
    from seeder.definition.request import find_project, resolve
    from seeder.passed.options import Options
    from seeder.registry import traits

    manifest, engines = find_project(project, request.overlays), traits()
    wanted = [replace(request, scenario=one) for one in _chosen(manifest, name, tag, request)]
    plans = [decide.plan(resolve(manifest, each, engines)) for each in wanted]
    if events and not name:
        raise UsageError("--events", "tries one scenario, and none was named", "name it")
    options = Options(keep_failed=keep_failed, timeout=timeout, marks=bool(events), mutations=events)
    results = _runs.one_by_one(plans, options, quiet=quiet or as_json)
    if as_json:
        _render.answer(results[0].as_json() if name else [result.as_json() for result in results])
    elif events:
        click.echo(_render.table(_varied(results[0])))
    elif not name:
        click.echo(_render.table(_rows(results, [each.scenario or "" for each in wanted])))
    return _runs.code(results)


def _varied(result: Result) -> list[dict[str, str]]:
    rows: list[dict[str, Any]] = result.facts.get("variants", [])
    return [{"variant": one["variant"], "result": one["result"], "seconds": f"{one['seconds']:.1f}"} for one in rows]


def _chosen(manifest: Manifest, name: str | None, tag: str | None, request: Request) -> Sequence[str]:
    if name and tag:
        raise UsageError("--tag", "chooses scenarios, and NAME names one", "leave one of them out")
    if name:
        return [name]
    if request.inputs:
        raise UsageError("--set", "inputs belong to one scenario, and none was named", "name it")
    found = _runs.tagged(manifest, tag, "--tag") if tag else sorted(manifest.scenarios)
    if not found:
        raise UsageError("scenario run", "the project has no scenarios", "they stand in testdata/scenarios")
    return found


def _rows(results: Sequence[Result], wanted: Sequence[str]) -> list[dict[str, str]]:
    """How each ended; after a signal the others did not begin."""
    done = [
        {"scenario": name, "result": _ending(one), "seconds": f"{one.seconds:.1f}", "run": one.run}
        for name, one in zip(wanted, results, strict=False)
    ]
    left = [{"scenario": name, "result": "not begun", "seconds": "-", "run": "-"} for name in wanted[len(results) :]]
    return [*done, *left]


def _ending(result: Result) -> str:
    return "ok" if result.code == 0 else f"{result.ended_by} (exit {result.code})"
