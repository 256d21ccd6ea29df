"""`seeder cache`: the layers that are kept, and why a run begins where it does."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options, _transfers
from seeder.cli._lines import amount, moment
from seeder.cli._terminal import say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.definition.request import Request
    from seeder.passed.layer import Layer
    from seeder.reuse.explain import Told


@click.group(cls=_options.Group)
def command() -> None:
    """List, explain, compare and remove layers: states of stores that runs begin at; push them to others and pull theirs."""


for each in (_transfers.push, _transfers.pull, _transfers.verify):
    command.add_command(each)


def of_facts(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say of which layers."""
    stack = click.option("--stack", help="Only layers of stacks of this name.")
    of = click.Path(path_type=Path, file_okay=False)
    project = click.option("--project", type=of, help="Only layers of projects that are called as this folder's is.")
    return project(stack(function))


@command.command("ls")
@of_facts
@_options.as_json
def ls(project: Path | None, stack: str | None, as_json: bool) -> None:
    """List the layers of this machine, the one that was used last first."""
    from seeder.cli import _render
    from seeder.reuse import room

    wanted = _chosen(project, stack).items()
    found = sorted((layer for layer in room.every() if wanted <= layer.facts.items()), key=lambda layer: layer.used, reverse=True)
    if as_json:
        _render.answer([_summary(layer) for layer in found])
        return
    rows = [_row(layer) for layer in found]
    _render.show(rows, "no layer of it is kept; the next run makes some" if wanted else "no layer is kept; the next run makes some")
    if rows:
        say(f"{counted(len(rows), 'layer')}, {amount(sum(layer.size for layer in found))}")


@command.command("explain")
@_options.request
@_options.as_json
def explain(request: Request, project: Path | None, as_json: bool) -> None:
    """Show each state on the way of every server of STACK: its id, whether a layer of it is there, what changed since the last run."""
    from seeder import decide
    from seeder.cli import _render
    from seeder.definition.request import find_project, resolve
    from seeder.evidence import story
    from seeder.registry import traits
    from seeder.reuse import explain

    plan = decide.plan(resolve(find_project(project, request.overlays), request, traits()))
    told = explain.states(plan, story.chains(plan.definition.manifest.root))
    unkept = {server: one.unkept for server, one in plan.chains.items() if one.unkept}
    if as_json:
        _render.answer({"states": [vars(one) for one in told], "unkept": unkept, "set": plan.whole or None})
        return
    rows = [
        {
            "server": one.server or "(set)",
            "state": one.subject,
            "id": one.id[:12],
            "layer": _layer(one),
            "since the last run": ", ".join(one.changed) or "-",
        }
        for one in told
    ]
    _render.show(rows, "nothing of this stack is kept: it has no stores")
    for server, why in sorted(unkept.items()):
        say(f"{server}: nothing beyond that is kept: {why}")


def _layer(one: Told) -> str:
    if one.found:
        return "found"
    return "not needed" if one.passed else ("to be kept" if one.kept else "-")


@command.command("prune")
@click.option("--all", "everything", is_flag=True, help="Remove every layer and built image that no live run uses.")
@click.option("--older", callback=_options.duration, help="Remove what was not used for this long, e.g. 7d.")
@click.option("--size", default="5GB", show_default=True, callback=_options.size, help="Keep at most this much, what was used last first.")
@of_facts
@click.option("--remote", help="Layers of this folder, where they travel from machine to machine, instead of this machine's.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@_options.as_json
def prune(everything: bool, older: float | None, size: int, remote: str | None, dry_run: bool, as_json: bool, **of_facts: Any) -> None:
    """Remove layers that were not used for longest. Without --project and --stack also what was built for services (images, data
    folders of embedded engines), of which nothing was made for a week, or as long as --older says, and images that were layers and have
    lost their name. Sets go whole; what a live run began at stays. With --remote layers were used last when they were pushed, or would
    have been, had they not been there."""
    from seeder import registry
    from seeder.cli import _render
    from seeder.reuse import room, shrink

    unused = datetime.timedelta(seconds=older) if older else None
    before = datetime.datetime.now(datetime.UTC) - unused if unused else None
    of, limit = _chosen(**of_facts), -1 if everything else size
    if remote:
        gone = (shrink.excess if dry_run else shrink.prune)(registry.remote(remote), limit, before, of)
    else:
        gone = (room.excess if dry_run else room.prune)(limit, before, of=of)
    here = not of and not remote
    since = room.stale(datetime.timedelta() if everything else unused or room.STALE)
    built = sorted((room.built if dry_run else room.forget_built)(since)) if here else []
    strays = sorted((room.strays if dry_run else room.forget_strays)()) if here else []
    if as_json:
        others = [("built", one) for one in built] + [("nameless", image) for image in strays]
        _render.answer([*map(_summary, gone), *({"form": form, "place": place} for form, place in others)])
        return
    verb = "would remove" if dry_run else "removed"
    for layer in gone:
        say(f"{verb} {layer.id[:12]} {layer.form} of {layer.facts.get('stack', '-')}, {amount(layer.size)}")
    for one in built:
        say(f"{verb} {one}, built for services")
    for image in strays:
        say(f"{verb} image {image.removeprefix('sha256:')[:12]}, a layer that has lost its name")
    also = f", {len(built)} built for services" if built else ""
    also += f", {counted(len(strays), 'nameless image')}" if strays else ""
    say(f"{counted(len(gone), 'layer')}, {amount(sum(layer.size for layer in gone))}{_of_others(gone)}{also}{_limit(limit, before)}")


def _of_others(gone: Sequence[Layer]) -> str:
    """An engine's layers are everybody's who uses it."""
    others = sum(not layer.own for layer in gone)
    return f", {others} of another SEEDER_HOME" if others else ""


def _limit(limit: int, before: datetime.datetime | None) -> str:
    """What decided which go, where not all do."""
    since = f", what was used since {moment(before.isoformat(timespec='seconds'))}" if before else ""
    return f"; kept: at most {amount(limit)}{since}, and what is in use" if limit >= 0 else ""


def _chosen(project: Path | None, stack: str | None) -> dict[str, str]:
    """The facts of the layers that are meant; none where all are."""
    from seeder.definition.request import find_project

    given = {"project": find_project(project).project if project else None, "stack": stack}
    return {name: value for name, value in given.items() if value is not None}


def _summary(layer: Layer) -> dict[str, Any]:
    times = {"made": layer.made.isoformat(timespec="seconds"), "used": layer.used.isoformat(timespec="seconds")}
    known = {name: layer.facts.get(name) for name in ("project", "stack", "server", "holds")}
    return {"id": layer.id, "form": layer.form, "size": layer.size, **times, **known, "place": layer.place}


def _row(layer: Layer) -> dict[str, Any]:
    holds = layer.facts.get("holds") or ["-"]
    shown = holds[-1] if len(holds) == 1 else f"{holds[0]}..{holds[-1]}"
    whose = f"{layer.facts.get('stack', '-')}/{layer.facts.get('server', 'set')}"
    return {
        "id": layer.id[:12],
        "project": layer.facts.get("project", "-"),
        "of": whose,
        "holds": shown,
        "form": layer.form,
        "size": amount(layer.size),
        "made": moment(layer.made.isoformat(timespec="seconds")),
        "used": moment(layer.used.isoformat(timespec="seconds")),
    }
