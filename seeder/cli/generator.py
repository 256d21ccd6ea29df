"""`seeder generator`: what teams offer to scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options
from seeder.cli._terminal import near

if TYPE_CHECKING:
    from seeder.capability import Capability


@click.group(cls=_options.Group)
def command() -> None:
    """List and show generators: what teams offer to scenarios."""


@command.command("ls")
@click.argument("stack", required=False)
@_options.project
@_options.as_json
def ls(stack: str | None, project: Path | None, as_json: bool) -> None:
    """List what can be asked for in scenarios of STACK."""
    from seeder.cli import _render

    users, known = _known(stack, project)
    found = [_summary(one, users.get(name, [])) for name, one in sorted(known.items())]
    if as_json:
        _render.answer(found)
        return
    rows = [{**one, "scenarios": ", ".join(one["scenarios"]) or "-"} for one in found]
    _render.show(rows, "the stack has no generators; they stand in the folder `generators` beside its compose file")


@command.command("show")
@click.argument("name")
@click.argument("stack", required=False)
@_options.project
@_options.as_json
def show(name: str, stack: str | None, project: Path | None, as_json: bool) -> None:
    """Show one capability of STACK: its owner, what it takes and answers, which scenarios use it."""
    from seeder.cli import _render
    from seeder.definition.request import named

    users, known = _known(stack, project)
    whole = _whole(named(known, name, "capability"), users.get(name, []))
    if as_json:
        _render.answer(whole)
    else:
        click.echo(_text(whole))


def _known(stack: str | None, project: Path | None) -> tuple[dict[str, list[str]], dict[str, Capability]]:
    """The stack's capabilities, and which of its scenarios ask for them."""
    from seeder.definition.request import Request, find_project, resolve
    from seeder.registry import generators, traits

    manifest = find_project(project)
    definition = resolve(manifest, Request(stack=stack), traits())
    known = {name: one.capability for name, one in generators(definition.stack).items()}
    asking = [scenario for _, scenario in sorted(manifest.scenarios.items()) if scenario.stack == definition.stack.name]
    asked = {scenario.name: {step.use for step in scenario.every} for scenario in asking}
    return {name: [one for one, uses in asked.items() if name in uses] for name in known}, known


def _summary(one: Capability, users: list[str]) -> dict[str, Any]:
    return {"name": one.name, "version": one.version, "owner": one.owner, "description": one.description, "scenarios": users}


def _whole(one: Capability, users: list[str]) -> dict[str, Any]:
    retries = f"key {one.key}" if one.key else "find" if one.finds else None
    return {
        **_summary(one, users),
        "contact": one.contact,
        "origin": one.origin,
        "within": one.within,
        "retries": retries,
        "undo": one.undo or None,
        "inputs": dict(one.inputs),
        "outputs": dict(one.outputs),
        "file": str(one.mark.file),
        "line": one.mark.line,
    }


def _text(whole: Mapping[str, Any]) -> str:
    contact = f" ({whole['contact']})" if whole["contact"] else ""
    lines = [f"{whole['name']} {whole['version']} of {whole['owner']}{contact}", f"  {near(whole['file'])}:{whole['line']}"]
    lines += [f"  {whole['description']}"] if whole["description"] else []
    by = {"services": "acts through services", "inserted": "writes into a store"}[whole["origin"]]
    again = f"tried again by {whole['retries']}" if whole["retries"] else "not tried again when nobody knows what came of it"
    lines.append(f"  {by}, {whole['within']:g} s for a try, {again}")
    lines.append(f"  {_UNDONE.get(whole['undo']) or 'taken back by ' + whole['undo']}")
    for what in ("inputs", "outputs"):
        needed = set(whole[what].get("required", ())) if what == "inputs" else set()
        for name, shape in _properties(whole[what]).items():
            lines.append(f"  {what[:-1]:<7} {name}: {_said(shape)}{', required' if name in needed else ''}")
    lines.append(f"  used by {', '.join(whole['scenarios']) or 'no scenario'}")
    return "\n".join(lines)


_UNDONE = {None: "cannot be taken back", "nothing": "nothing is to be taken back of it"}


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    from seeder import shape

    whole = shape.resolved(schema)
    return {name: shape.resolved(one, whole) for name, one in whole.get("properties", {}).items()}


def _said(schema: Mapping[str, Any]) -> str:
    from seeder import shape

    said = f"one of {', '.join(map(str, schema['enum']))}" if "enum" in schema else shape.words(shape.kinds(schema)) or "anything"
    default = f", default {schema['default']}" if schema.get("default") is not None else ""
    return said + default
