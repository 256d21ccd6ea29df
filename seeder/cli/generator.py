"""`seeder generator`: what teams offer to scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options
from seeder.cli._terminal import near, say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.definition.stack import Stack
    from seeder.passed.capability import Capability
    from seeder.promises.locked import Changed


@click.group(cls=_options.Group)
def command() -> None:
    """List, show and lock generators: what teams offer to scenarios."""


@command.command("ls")
@click.argument("stack", required=False)
@_options.project
@_options.as_json
def ls(stack: str | None, project: Path | None, as_json: bool) -> None:
    """List what can be asked for in scenarios of STACK."""
    from seeder.cli import _render

    users, known, _ = _known(stack, project)
    found = [_summary(one, users.get(name, {})) for name, one in sorted(known.items())]
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

    users, known, of = _known(stack, project)
    whole = _whole(named(known, name, "capability"), users.get(name, {}), of)
    if as_json:
        _render.answer(whole)
    else:
        click.echo(_text(whole))


@command.command("lock")
@click.argument("stack", required=False)
@_options.project
@_options.as_json
def lock(stack: str | None, project: Path | None, as_json: bool) -> None:
    """Write down what the capabilities of STACK promise now, so that `check` tells what a change breaks."""
    from seeder.cli import _render
    from seeder.promises import locked

    _, known, of = _known(stack, project)
    before = locked.read(of) or {}
    changed, new = locked.compare(before, known), locked.unlocked(before, known)
    path = locked.write(of, known)
    if as_json:
        changes = {one.before.name: _changes(one) for one in changed}
        _render.answer({"file": str(path), "capabilities": len(locked.promises(known)), "new": new, "changed": changes})
        return
    for one in changed:
        say(f"{one.before.name}: {'; '.join(_changes(one))}")
    say(f"{near(str(path))}: {counted(len(locked.promises(known)), 'capability')}, {len(new)} new, {len(changed)} changed")


def _changes(changed: Changed) -> list[str]:
    return [one.said for one in changed.changes] if changed.now else ["is gone"]


def _known(stack: str | None, project: Path | None) -> tuple[dict[str, dict[str, list[str]]], dict[str, Capability], Stack]:
    """The stack's capabilities, and which steps of its scenarios ask for them: capability -> scenario -> steps."""
    from seeder.definition.request import Request, find_project, resolve
    from seeder.registry import generators, traits

    manifest = find_project(project)
    definition = resolve(manifest, Request(stack=stack), traits())
    known = {name: one.capability for name, one in generators(definition.stack).items()}
    asking = [scenario for _, scenario in sorted(manifest.scenarios.items()) if scenario.stack == definition.stack.name]
    users: dict[str, dict[str, list[str]]] = {}
    for scenario in asking:
        for step in scenario.every:
            users.setdefault(step.use, {}).setdefault(scenario.name, []).append(step.name)
    return users, known, definition.stack


def _summary(one: Capability, users: Mapping[str, list[str]]) -> dict[str, Any]:
    return {"name": one.name, "version": one.version, "owner": one.owner, "description": one.description, "scenarios": list(users)}


def _whole(one: Capability, users: Mapping[str, list[str]], stack: Stack) -> dict[str, Any]:
    from seeder.promises import locked

    before = locked.read(stack) or {}
    changed = locked.compare({name: was for name, was in before.items() if name == one.name}, {one.name: one})
    retries = f"key {one.key}" if one.key else "find" if one.finds else None
    return {
        **_summary(one, users),
        "contact": one.contact,
        "origin": one.origin,
        "within": one.within,
        "retries": retries,
        "undo": one.undo or None,
        "steps": {scenario: list(steps) for scenario, steps in users.items()},
        "locked": one.name in before,
        "changed": [said for found in changed for said in _changes(found)],
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
    if not _properties(whole["outputs"]):
        lines.append(f"  output  {_said(whole['outputs'])}")
    users = [f"{scenario} ({', '.join(steps)})" for scenario, steps in whole["steps"].items()]
    lines.append(f"  used by {', '.join(users) or 'no scenario'}")
    lines.append(f"  {'; '.join(whole['changed']) or 'as locked' if whole['locked'] else 'not locked'}")
    return "\n".join(lines)


_UNDONE = {None: "cannot be taken back", "nothing": "nothing is to be taken back of it"}


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    from seeder.promises import shape

    whole = shape.resolved(schema)
    return {name: shape.resolved(one, whole) for name, one in whole.get("properties", {}).items()}


def _said(schema: Mapping[str, Any]) -> str:
    from seeder.promises import shape

    said = f"one of {', '.join(map(str, schema['enum']))}" if "enum" in schema else shape.words(shape.kinds(schema)) or "anything"
    default = f", default {schema['default']}" if schema.get("default") is not None else ""
    return said + default
