"""`seeder scenario`: the business states that can be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options
from seeder.cli._scenario_run import run
from seeder.cli._terminal import near
from seeder.errors import DefinitionError, UsageError, counted
from seeder.order import Cycle

if TYPE_CHECKING:
    from seeder.definition.expectation import Expectation
    from seeder.definition.inputs import Input
    from seeder.definition.manifest import Manifest
    from seeder.definition.scenario import Scenario
    from seeder.definition.step import Step


@click.group(cls=_options.Group)
def command() -> None:
    """List, show, draw and run scenarios: the business states that can be asked for."""


command.add_command(run)


@command.command("ls")
@_options.project
@_options.overlay
@click.option("--tag", help="Only those with this tag.")
@_options.as_json
def ls(project: Path | None, overlays: tuple[Path, ...], tag: str | None, as_json: bool) -> None:
    """List the project's scenarios."""
    from seeder.cli import _render
    from seeder.definition.request import find_project

    known = sorted(find_project(project, overlays).scenarios.items())
    found = [scenario for _, scenario in known if tag is None or tag in scenario.tags]
    if as_json:
        _render.answer([_summary(scenario) for scenario in found])
        return
    rows = [_row(scenario) for scenario in found]
    _render.show(rows, _untagged(tag, [s for _, s in known]) if tag else "the project has no scenarios; they stand in testdata/scenarios")


@command.command("show")
@click.argument("name")
@_options.project
@_options.overlay
@_options.as_json
def show(name: str, project: Path | None, overlays: tuple[Path, ...], as_json: bool) -> None:
    """Show one scenario: its inputs, data, expectations and outputs."""
    from seeder.cli import _render
    from seeder.definition.request import find_project, scenario_of

    manifest = find_project(project, overlays)
    whole = _whole(scenario_of(manifest, name), manifest)
    if as_json:
        _render.answer(whole)
    else:
        click.echo(_text(whole))


@command.command("graph")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "svg"]), help="How it is drawn: as text, unless told.")
@_options.project
@_options.overlay
@_options.as_json
def graph(name: str, form: str | None, project: Path | None, overlays: tuple[Path, ...], as_json: bool) -> None:
    """Draw the steps of one scenario, and what comes before what."""
    from seeder.cli import _render
    from seeder.definition.request import find_project, named
    from seeder.graph import drawing

    if as_json and form:
        raise UsageError("--format", "is how it is drawn, and --json draws nothing", "leave out one of them")
    scenario = named(find_project(project, overlays).scenarios, name, "scenario")
    if as_json:
        _render.answer([{**_step(step), "after": sorted(set(step.needs()))} for step in scenario.every])
        return
    draw = {"text": drawing.text, "mermaid": drawing.mermaid, "svg": drawing.svg}[form or "text"]
    try:
        click.echo(draw(scenario))
    except Cycle as error:
        raise DefinitionError(name, f"steps form a cycle: {error}", "remove one of these edges", scenario.mark) from None


def _untagged(tag: str, every: Iterable[Scenario]) -> str:
    tags = sorted({each for scenario in every for each in scenario.tags})
    return f"no scenario has the tag {tag}; {'known: ' + ', '.join(tags) if tags else 'none has any'}"


def _summary(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "version": scenario.version,
        "stack": scenario.stack,
        "tags": list(scenario.tags),
        "description": scenario.description,
        "problems": len(scenario.problems),
    }


def _row(scenario: Scenario) -> dict[str, Any]:
    """Of one that cannot be asked for, that there is something to mend."""
    known = {name: value or "-" for name, value in _summary(scenario).items() if name != "problems"}
    wrong = f"{counted(len(scenario.problems), 'error')}, which `seeder check` tells" if scenario.problems else ""
    return {**known, "tags": ", ".join(scenario.tags), "description": wrong or scenario.description.partition("\n")[0]}


def _whole(scenario: Scenario, manifest: Manifest) -> dict[str, Any]:
    return {
        **_summary(scenario),
        "owner": scenario.owner,
        "file": str(scenario.path),
        "inputs": {each.name: _input(each) for each in scenario.inputs},
        "data": [_dataset(wanted.name, wanted.version, manifest) for wanted in scenario.data],
        **{key: [_step(each) for each in steps] for key, steps in scenario.lists.items()},
        "expect": [_expectation(each) for each in scenario.expect],
        "outputs": dict(scenario.outputs),
    }


def _input(given: Input) -> dict[str, Any]:
    limits = {"enum": list(given.enum), "minimum": given.minimum, "maximum": given.maximum, "pattern": given.pattern}
    default = {} if given.required else {"default": given.default}
    told = {"type": given.type, **default, **{name: value for name, value in limits.items() if value not in (None, [])}}
    return {**told, "required": given.required, "description": given.description}


def _dataset(name: str, version: str | None, manifest: Manifest) -> dict[str, Any]:
    from seeder.definition.version import matches

    found = next((d for d in manifest.datasets.get(name, ()) if matches(d.version, version)), None)
    return {"name": name, "wanted": version, "version": found.version if found else None, "kind": found.kind if found else None}


def _step(given: Step) -> dict[str, Any]:
    return {"name": given.name, "use": given.does, "with": dict(given.given), "line": given.mark.line}


def _expectation(given: Expectation) -> dict[str, Any]:
    what = {
        "query": given.query,
        "http": f"{given.method} {given.path}",
        "event": given.subject,
        "key": given.key,
        "stub": " ".join(str(given.where[name]) for name in ("method", "path") if name in given.where) or "any call",
    }[given.kind]
    return {"kind": given.kind, "on": given.store or given.service, "what": what, "within": given.within, "line": given.mark.line}


def _text(whole: dict[str, Any]) -> str:
    lines = [f"{whole['name']} {whole['version']}, stack {whole['stack']}{_owned(whole['owner'])}", f"  {near(whole['file'])}"]
    lines += [f"  {line}" for line in whole["description"].splitlines()]
    lines += [f"  tags: {', '.join(whole['tags'])}"] if whole["tags"] else []
    for name, given in whole["inputs"].items():
        said = ", ".join(
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in given.items()
            if key not in ("description", "required")
        )
        needed = ", required" if given["required"] else ""
        lines.append(f"  input   {name}: {said}{needed}{'  ' + given['description'] if given['description'] else ''}")
    lines += [f"  data    {d['name']}@{d['version'] or 'unknown'} ({d['kind'] or 'not in the manifest'})" for d in whole["data"]]
    lines += [f"  {key:<7} {s['name']}: {s['use']}" for key in ("steps", "act") for s in whole[key]]
    lines += [f"  expect  {e['kind']}{' ' if e['on'] else ''}{e['on']}: {' '.join(e['what'].split())}" for e in whole["expect"]]
    lines += [f"  output  {name}: {value}" for name, value in whole["outputs"].items()]
    return "\n".join(lines)


def _owned(owner: str | None) -> str:
    return f", owned by {owner}" if owner else ""
