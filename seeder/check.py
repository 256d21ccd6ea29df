"""Everything that is wrong with a definition, all at once, starting nothing: files against each other, and against what seeder can do."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seeder.definition import consistency
from seeder.definition.checksums import NAME, is_locked, verify
from seeder.definition.compose import read_stack
from seeder.definition.dataset import Dataset, PartKind, fits, parts
from seeder.definition.manifest import Manifest, find_manifest, survey_project
from seeder.definition.policy import refusals, too_many
from seeder.definition.scenario import Scenario, settle
from seeder.definition.stack import Stack, Store
from seeder.definition.version import matches, unmet
from seeder.errors import DefinitionError, Problem, nearest
from seeder.plan import SQL_TOOLS, unknown_engines, vague_volatile
from seeder.protocols import Inspects, Loads, Queries
from seeder.registry import ENGINES, MIGRATORS, RUNTIMES

Histories = Mapping[str, Sequence[str]]  # store -> its revisions, oldest first


@dataclass
class Findings:
    """What is wrong (`errors`: a run would be refused), and what should be looked at (`hints`)."""

    errors: list[Problem] = field(default_factory=list)
    hints: list[Problem] = field(default_factory=list)

    def ordered(self) -> Findings:
        """Each problem once, in the order of the places."""
        return Findings(_ordered(self.errors), _ordered(self.hints))


def check_project(start: Path, environment: Mapping[str, str], now: datetime.datetime) -> Findings:
    """Check the project of a folder as far as it can be read; `environment` fills variables of compose files, ages count to `now`."""
    try:
        manifest, problems = survey_project(find_manifest(start))
    except DefinitionError as error:
        return Findings(list(error.problems))
    found = check(manifest, environment, now) if manifest else Findings()
    return Findings([*problems, *found.errors], found.hints).ordered()


def check(manifest: Manifest, environment: Mapping[str, str], now: datetime.datetime) -> Findings:
    """Check a manifest with its stacks, datasets and scenarios."""
    findings = Findings()
    findings.errors += _defaults(manifest)
    stacks: dict[str, Stack] = {}
    histories: dict[str, Histories] = {}
    for name, entry in manifest.stacks.items():
        try:
            stacks[name] = read_stack(entry, environment=environment, profiles=entry.profiles, only=None)
        except DefinitionError as error:
            findings.errors += error.problems
            continue
        findings.errors += consistency.faults(stacks[name])
        unknown = list(unknown_engines(stacks[name]))
        findings.errors += unknown or vague_volatile(stacks[name])
        findings.hints += consistency.hints(stacks[name])
        histories[name] = _capabilities(stacks[name], findings.errors)
    for dataset in (version for versions in manifest.datasets.values() for version in versions):
        _dataset(dataset, manifest, stacks, findings)
    for scenario in manifest.scenarios.values():
        _scenario(scenario, manifest, stacks, findings)
    for stack, dataset in _used(manifest, stacks):
        findings.errors += unmet(dataset, stack, histories[stack.name])
    _policies(manifest, stacks, findings, now)
    return findings.ordered()


def accepted(stack: Stack) -> dict[str, frozenset[PartKind]]:
    """What the stack's engines take from a dataset; an unknown engine takes nothing."""
    names = {store.engine for store in stack.stores.values()}
    engines = {name: ENGINES.get(name) if name in ENGINES.names() else None for name in names}
    return {name: engine.accepts if isinstance(engine, Loads) else frozenset() for name, engine in engines.items()}


def _capabilities(stack: Stack, errors: list[Problem]) -> Histories:
    """The revisions of the stores that are migrated; what has no engine or cannot be migrated goes to `errors`."""
    histories: dict[str, Sequence[str]] = {}
    for store in stack.stores.values():
        if store.engine not in ENGINES.names():
            continue
        try:
            histories[store.name] = _history(store, stack)
        except DefinitionError as error:
            errors += error.problems
    return histories


def _history(store: Store, stack: Stack) -> tuple[str, ...]:
    migrate, mark, engine = store.migrate, stack.services[store.service].mark, ENGINES.get(store.engine)
    if migrate is None:
        return ()
    if migrate.tool in SQL_TOOLS and not (isinstance(engine, Queries) and isinstance(engine, Inspects)):
        cause = f"{store.engine} cannot be migrated by {migrate.tool}; stack {stack.name} asks for it"
        raise DefinitionError(store.name, cause, "remove `migrate`, or use `command` or `service`", mark)
    if migrate.as_ and migrate.as_ not in {*stack.services, *stack.absent}:
        cause = f"migrate.as: there is no service {migrate.as_}"
        raise DefinitionError(store.name, cause, nearest(migrate.as_, sorted(stack.services)), mark)
    return tuple(revision.id for revision in MIGRATORS.get(migrate.tool).revisions(store, stack))


def _defaults(manifest: Manifest) -> Iterator[Problem]:
    known = ["auto", *RUNTIMES.names()]
    if manifest.defaults.runtime not in known:
        cause = f"there is no runtime {manifest.defaults.runtime}"
        yield Problem("defaults.runtime", cause, nearest(manifest.defaults.runtime, known), manifest.mark)


def _dataset(dataset: Dataset, manifest: Manifest, stacks: Mapping[str, Stack], findings: Findings) -> None:
    findings.errors += verify(dataset)
    if not is_locked(dataset) and dataset.files:
        hint = Problem(dataset.label, f"has no {NAME}", f"seeder dataset lock {dataset.name}", dataset.mark)
        findings.hints.append(hint)
    if not dataset.files and not dataset.seed and dataset.path.is_dir():
        findings.hints.append(Problem(dataset.label, "holds no files", "remove it, or add files", dataset.mark))
    if len(stacks) < len(manifest.stacks):
        return  # it may be for a stack that could not be read
    homes = [stack for stack in stacks.values() if fits(dataset, stack)]
    if not homes and len(stacks) > 1:
        folders = ", ".join(sorted({path.parts[0] for path in dataset.files}))
        cause = f"no stack has all of its stores and services ({folders})"
        findings.errors.append(Problem(dataset.label, cause, "rename its folders after stores or services", dataset.mark))
    for stack in homes or (stacks.values() if len(stacks) == 1 else ()):
        findings.errors += _parts(dataset, stack)
        findings.errors += _tables(dataset, stack)


def _parts(dataset: Dataset, stack: Stack) -> Sequence[Problem]:
    try:
        parts(dataset, stack, accepted(stack))
    except DefinitionError as error:
        return error.problems
    return ()


def _tables(dataset: Dataset, stack: Stack) -> Iterator[Problem]:
    """Natural keys and gates name `store.table`."""
    named = {"natural_keys": dataset.natural_keys, "gates.counts": dataset.gates.counts, "gates.nulls": dataset.gates.nulls}
    for key, tables in named.items():
        for table in tables:
            store = table.split(".")[0]
            if not consistency.has_store(stack, store):
                cause = f"{key}: stack {stack.name} has no store {store} ({table})"
                yield Problem(dataset.label, cause, nearest(store, sorted(stack.stores)), dataset.mark)


def _scenario(scenario: Scenario, manifest: Manifest, stacks: Mapping[str, Stack], findings: Findings) -> None:
    if scenario.stack not in manifest.stacks:
        cause = f"there is no stack {scenario.stack}"
        findings.errors.append(Problem(scenario.name, cause, nearest(scenario.stack, sorted(manifest.stacks)), scenario.mark))
    for wanted in scenario.data:
        versions = [dataset.version for dataset in manifest.datasets.get(wanted.name, ())]
        if not versions:
            cause = f"the manifest knows no dataset {wanted.name}"
            findings.errors.append(Problem(scenario.name, cause, nearest(wanted.name, sorted(manifest.datasets)), wanted.mark))
        elif not any(matches(version, wanted.version) for version in versions):
            cause = f"the manifest knows no version {wanted.version} of {wanted.name}"
            findings.errors.append(Problem(scenario.name, cause, f"known: {', '.join(versions)}", wanted.mark))
    if stack := stacks.get(scenario.stack):
        try:
            settle(scenario, stack, accepted(stack))
        except DefinitionError as error:
            findings.errors += error.problems


def _data_of(scenario: Scenario, manifest: Manifest) -> list[Dataset]:
    found = []
    for wanted in scenario.data:
        fitting = (dataset for dataset in manifest.datasets.get(wanted.name, ()) if matches(dataset.version, wanted.version))
        found += [dataset for dataset in [next(fitting, None)] if dataset]
    return found


def _used(manifest: Manifest, stacks: Mapping[str, Stack]) -> list[tuple[Stack, Dataset]]:
    """Which dataset meets which stack: those of scenarios, and reference and config data that every run of a stack gets."""
    pairs: dict[tuple[str, str], tuple[Stack, Dataset]] = {}
    for scenario in manifest.scenarios.values():
        if stack := stacks.get(scenario.stack):
            pairs |= {(stack.name, dataset.label): (stack, dataset) for dataset in _data_of(scenario, manifest)}
    newest = [versions[0] for versions in manifest.datasets.values() if versions[0].upserts]
    for stack in stacks.values():
        pairs |= {(stack.name, dataset.label): (stack, dataset) for dataset in newest if fits(dataset, stack)}
    return list(pairs.values())


def _policies(manifest: Manifest, stacks: Mapping[str, Stack], findings: Findings, now: datetime.datetime) -> None:
    """Data that every policy refuses can never be used; data that the default policy refuses needs another one to be named."""
    used = {dataset.label: dataset for _, dataset in _used(manifest, stacks)}
    for dataset in used.values():
        refused = {name: refusals(policy, dataset, now=now) for name, policy in manifest.policies.items()}
        if refused and all(refused.values()):
            findings.errors += refused.get(manifest.defaults.policy or "") or next(iter(refused.values()))
        elif manifest.defaults.policy in refused:
            findings.hints += refused[manifest.defaults.policy]
    default = manifest.policies.get(manifest.defaults.policy or "")
    for scenario in manifest.scenarios.values() if default else ():
        findings.hints += too_many(default, _data_of(scenario, manifest)) if default else ()


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    once = dict.fromkeys(problems)
    return sorted(once, key=lambda p: (str(p.mark.file), p.mark.line) if p.mark else ("", 0))
