"""`seeder cache push`, `pull` and `verify`: layers of other machines, and whether one's own hold what they should."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options
from seeder.cli._terminal import say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.definition.request import Request
    from seeder.passed.operation import Plan
    from seeder.reuse.transfer import Transfer

REMOTE = "REMOTE is a folder, an address that fsspec knows (s3://bucket/prefix), or oci://HOST/REPOSITORY."


@click.command("push", epilog=REMOTE)
@click.argument("remote")
@_options.request
@click.option("--all", "everything", is_flag=True, help="Every layer of this machine; STACK and its options do not count.")
@click.option("--force", is_flag=True, help="Also what is there already.")
@_options.as_json
def push(remote: str, request: Request, project: Path | None, everything: bool, force: bool, as_json: bool) -> None:
    """Send the layers of STACK's states to REMOTE, those that are not there yet; a set only as a whole."""
    from seeder import registry
    from seeder.reuse import push, room

    layers = room.every() if everything else push.of_plan(_planned(request, project))
    moves = push.push(registry.remote(remote), layers, again=force)
    _tell(moves, "pushed", "there already", "no layer of it is kept here; a run makes some", as_json=as_json)


@click.command("pull", epilog=REMOTE)
@click.argument("remote")
@_options.request
@click.option("--all", "everything", is_flag=True, help="Every layer that is there; STACK and its options do not count.")
@_options.as_json
def pull(remote: str, request: Request, project: Path | None, everything: bool, as_json: bool) -> None:
    """Get from REMOTE what STACK can begin at: its set, else the deepest layer of each server. What is not whole there is left out."""
    from seeder import registry
    from seeder.cli import _render
    from seeder.reuse import pull

    plan = None if everything else _planned(request, project)
    found, emit = registry.remote(remote), _render.listener(quiet=as_json)
    there = found.names()
    moves = (pull.of_plan(found, plan, emit) if plan else pull.everything(found, emit)) if there else ()
    more = "" if there else ", nor anything else: it is empty, or not there yet"
    _tell(moves, "pulled", "here already", f"the remote holds no layer of it{more}; `seeder cache push` sends some", as_json=as_json)


@click.command("verify")
@_options.request
@_options.as_json
def verify(request: Request, project: Path | None, as_json: bool) -> None:
    """Provide STACK without layers and with them, and compare what its stores hold. Layers that hold something else are removed."""
    from seeder import verify
    from seeder.cli import _render

    plan = _planned(request, project)
    compared = verify.compare(plan, _render.listener(quiet=as_json))
    wrong = verify.remove(plan, compared)
    rows = [{"store": one.store, "built": one.built, "kept": one.kept, "layer": one.layer.id if one.layer else None} for one in compared]
    if as_json:
        _render.answer([{**row, "same": one.same} for row, one in zip(rows, compared, strict=True)])
    else:
        _render.show([{name: (value or "-")[:16] for name, value in row.items()} for row in rows], "the stack has no stores")
    if wrong:
        raise wrong


def _planned(request: Request, project: Path | None) -> Plan:
    from seeder import decide
    from seeder.definition.request import find_project, resolve
    from seeder.errors import UsageError
    from seeder.registry import traits

    plan = decide.plan(resolve(find_project(project, request.overlays), request, traits()))
    if plan.full is None:
        raise UsageError("layers", "are switched off here", "leave out --no-cache, and SEEDER_CACHE=off")
    return plan


def _tell(transfers: Iterable[Transfer], verb: str, otherwise: str, nothing: str, *, as_json: bool) -> None:
    """A line for each as it comes, or that there is `nothing`; what was left out ends the command once all the rest is done."""
    from seeder.cli import _render
    from seeder.cli._lines import amount
    from seeder.errors import EnvironmentFailed

    done: list[Transfer] = []
    for one in transfers:
        done.append(one)
        if not as_json and one.state in ("moved", "there"):
            size = f", {amount(one.length)}" if one.state == "moved" else ""
            click.echo(f"{verb if one.state == 'moved' else otherwise}: {one.name[:12]} {one.name[65:]} of {one.of}{size}")
        elif not as_json and one.state == "unfit" and one.why:
            say(f"left out: {one.why}")
    if as_json:
        _render.answer([_summary(one, verb) for one in done])
    else:
        moved = [one for one in done if one.state == "moved"]
        say(f"{verb} {counted(len(moved), 'layer')}, {amount(sum(one.length for one in moved))}" if done else nothing)
    problems = [one.why for one in done if one.why and one.state == "left out"]
    if problems:
        raise EnvironmentFailed.of(problems)


def _summary(one: Transfer, verb: str) -> dict[str, Any]:
    state = verb if one.state == "moved" else one.state
    return {"layer": one.name, "of": one.of, "state": state, "bytes": one.length, "why": one.why.cause if one.why else None}
