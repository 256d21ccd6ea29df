"""`seeder dataset`: the project's data at rest."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seeder.cli import _options, _published, _recorded
from seeder.cli._datasets import chosen
from seeder.cli._terminal import near, say
from seeder.errors import counted

if TYPE_CHECKING:
    from seeder.definition.dataset import Dataset, Part
    from seeder.definition.manifest import Manifest, Policy
    from seeder.definition.stack import Stack
    from seeder.errors import Collector, Problem


@click.group(cls=_options.Group)
def command() -> None:
    """List, record, compare, lock, validate, publish and pull datasets. DATASET is a name, or NAME@VERSION; a version may be shortened."""


for each in (_published.publish, _published.pull, _recorded.record, _recorded.diff):
    command.add_command(each)


@command.command("ls")
@_options.project
@_options.as_json
def ls(project: Path | None, as_json: bool) -> None:
    """List the project's datasets, with their records and whether their files are locked."""
    from seeder.cli import _render
    from seeder.definition.request import find_project

    facts = [_facts(dataset) for dataset in chosen(find_project(project), ())]
    if as_json:
        _render.answer(facts)
    else:
        shown = [{**f, "stores": ", ".join(f["stores"]), "locked": "yes" if f["locked"] else "no"} for f in facts]
        _render.show([{k: "-" if v is None else v for k, v in row.items() if k != "path"} for row in shown], "the project has no datasets")


@command.command("lock")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@_options.project
@_options.as_json
def lock(datasets: tuple[str, ...], project: Path | None, as_json: bool) -> None:
    """Write SHA256SUMS into the folder of each DATASET (of all without one), as `sha256sum -c` reads it."""
    from seeder.cli import _render
    from seeder.definition import checksums
    from seeder.definition.request import find_project
    from seeder.errors import Collector

    manifest, problems = find_project(project), Collector()
    wanted = chosen(manifest, datasets)
    stacks = _readable(manifest)
    for dataset in wanted:
        problems.problems += checksums.unfetched(dataset)  # a pointer's digest is not its content's
        problems.problems += _malformed(dataset, stacks, manifest)  # nor does anyone mean to keep what nobody can read
    problems.raise_if_any()
    written = {dataset.label: str(checksums.lock(dataset)) for dataset in wanted}
    if as_json:
        _render.answer(written)
    else:
        for dataset in wanted:
            say(f"{near(written[dataset.label])}: {counted(len(dataset.files), 'file')}")


@command.command("validate")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@_options.project
@click.option("--stack", help="The stack whose stores they must fit; those that they fit by default.")
@click.option("--policy", help="Also against this policy.")
@_options.as_json
def validate(datasets: tuple[str, ...], project: Path | None, stack: str | None, policy: str | None, as_json: bool) -> None:
    """Read every file of each DATASET (of all without one) and report all that is wrong: checksums, bad lines, names, policy.

    What only a database knows (its tables, columns, types and constraints) is found when they are loaded.
    """
    from seeder.cli import _render
    from seeder.definition.request import find_project
    from seeder.errors import Collector, DefinitionError

    manifest = find_project(project)
    rules = _policy(manifest, policy)
    stacks, problems, counts = _stacks(manifest, stack), Collector(), dict[str, int]()
    for dataset in chosen(manifest, datasets):
        before = len(problems.problems)
        _validate(dataset, stacks, manifest, rules, problems)
        counts[dataset.label] = _records(dataset)
        if not as_json:
            wrong = len(problems.problems) - before
            found = f"{counted(counts[dataset.label], 'record')} in {counted(len(dataset.files), 'file')}"
            say(f"{dataset.label}: {found}, {counted(wrong, 'problem')}")
    if as_json:
        _render.answer({"records": counts, "problems": [_render.problem_json(p) for p in problems.problems]})
    problems.raise_if_any(DefinitionError)


# -- what is meant -------------------------------------------------------------------------------------------------------


def _policy(manifest: Manifest, name: str | None) -> Policy | None:
    from seeder.definition.request import named

    return None if name is None else named(manifest.policies, name, "policy")


def _stacks(manifest: Manifest, name: str | None) -> list[Stack]:
    from seeder.definition.compose import read_stack
    from seeder.definition.request import named
    from seeder.registry import traits

    entries = list(manifest.stacks.values()) if name is None else [named(manifest.stacks, name, "stack")]
    return [read_stack(entry, environment=os.environ, engines=traits()) for entry in entries]


# -- validating -------------------------------------------------------------------------------------------------------


def _validate(dataset: Dataset, stacks: list[Stack], manifest: Manifest, policy: Policy | None, problems: Collector) -> None:
    """All that is wrong goes to `problems`."""
    from seeder.definition import checksums
    from seeder.definition.dataset_parts import fits
    from seeder.definition.policy import refusals
    from seeder.planning import soundness

    problems.problems += checksums.verify(dataset)
    if policy:
        problems.problems += refusals(policy, dataset, now=datetime.datetime.now(datetime.UTC))
    homes = [stack for stack in stacks if fits(dataset, stack)] or stacks[:1]
    for part in _parts(dataset, homes[0], problems):
        problems.problems += soundness.of_file(part, manifest.defaults.as_of)


def _readable(manifest: Manifest) -> list[Stack]:
    """The stacks that can be read; what is wrong with the others is not the data's."""
    from seeder.definition.compose import read_stack
    from seeder.errors import DefinitionError
    from seeder.registry import traits

    found, engines = [], traits()
    for entry in manifest.stacks.values():
        with contextlib.suppress(DefinitionError):
            found.append(read_stack(entry, environment=os.environ, engines=engines))
    return found


def _malformed(dataset: Dataset, stacks: list[Stack], manifest: Manifest) -> Iterator[Problem]:
    """What cannot be read in its files, or has no meaning, as far as a stack says what they are."""
    from seeder.definition.dataset_parts import fits
    from seeder.errors import Collector
    from seeder.planning import soundness

    homes = [stack for stack in stacks if fits(dataset, stack)] or (stacks if len(manifest.stacks) == 1 else [])
    problems = Collector()
    for part in _parts(dataset, homes[0], problems) if homes else ():
        yield from soundness.of_file(part, manifest.defaults.as_of)
    yield from problems.problems


def _parts(dataset: Dataset, stack: Stack, problems: Collector) -> tuple[Part, ...]:
    from seeder.definition.dataset_parts import parts
    from seeder.errors import DefinitionError
    from seeder.planning.soundness import accepted

    try:
        return parts(dataset, stack, accepted(stack))
    except DefinitionError as error:
        problems.problems += error.problems
        return ()


def _facts(dataset: Dataset) -> dict[str, Any]:
    from seeder.definition import checksums, policy

    return {
        "name": dataset.name,
        "version": dataset.version,
        "kind": dataset.kind,
        "privacy": policy.privacy_of(dataset),
        "owner": dataset.owner,
        "records": _records(dataset),
        "locked": checksums.is_locked(dataset),
        "stores": list(_folders(dataset)),
        "path": str(dataset.path),
    }


def _records(dataset: Dataset) -> int:
    from seeder.definition import records

    return sum(records.count(dataset.path / path) for path in dataset.files)


def _folders(dataset: Dataset) -> Iterator[str]:
    """The stores and services that it has files for."""
    deep = ("files", "mappings", "__files")  # below the folder of a service, of a stub
    yield from dict.fromkeys(path.parts[0] if path.parts[1] in deep and len(path.parts) > 2 else str(path.parent) for path in dataset.files)  # noqa: PLR2004
