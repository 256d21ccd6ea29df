"""manifest.yaml: the index of a project and its version mapping."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from seeder.definition.dataset import Dataset, Requirement, Seed, data_files
from seeder.definition.manifest_file import REFUSED_IN_POLICY, DatasetItem, ManifestFile, PolicyItem, StackItem, TargetItem
from seeder.definition.overlay import read_overlays, strays
from seeder.definition.scenario import Scenario
from seeder.definition.scenario_reader import read_scenarios
from seeder.definition.uses import joined
from seeder.definition.validation import validated
from seeder.definition.version import newest_first
from seeder.definition.yaml import Document, load
from seeder.errors import Collector, DefinitionError, Mark, Problem, nearest
from seeder.frozen import frozen

FILE: Final = "manifest.yaml"
SCENARIOS: Final = "testdata/scenarios"


@frozen
class Defaults:
    """What a command takes when it is not said."""

    stack: str | None = None
    runtime: str = "auto"
    policy: str | None = None
    seed: int = 42
    as_of: datetime.datetime = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@frozen
class StackEntry:
    """A stack that the manifest knows: its compose files, merged in order, and the application's version."""

    name: str
    version: str
    compose: tuple[Path, ...]
    profiles: tuple[str, ...] = ()
    mark: Mark | None = None


@frozen
class Policy:
    """What data an environment of some kind may hold: dataset kinds, most rows, least privacy, greatest age (seconds)."""

    name: str
    sources: tuple[str, ...] = ()  # empty: any
    rows: int | None = None
    privacy: str | None = None  # raw, masked, no-pii or strict
    max_age: float | None = None
    attached: bool = True  # environments may attach to shared systems


@frozen
class TargetEntry:
    """A shared system, as it is written: variables in it are filled in when somebody attaches to it."""

    name: str
    written: TargetItem
    mark: Mark | None


@frozen
class Manifest:
    """A project as its manifest.yaml tells it, with datasets and scenarios read."""

    project: str
    root: Path
    path: Path
    defaults: Defaults
    stacks: Mapping[str, StackEntry]
    datasets: Mapping[str, tuple[Dataset, ...]]  # by name; several versions, newest first
    scenarios: Mapping[str, Scenario]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    targets: Mapping[str, TargetEntry] = field(default_factory=dict)
    mark: Mark | None = None  # of its defaults
    overlays: tuple[Path, ...] = ()  # that its scenarios were read with


def find_manifest(start: Path) -> Path:
    """The manifest.yaml of the folder or of the nearest one above it; `start` may be the file itself. However the folder is written, with
    `..` or by a link, it is one project. Raises DefinitionError."""
    if start.is_file():
        return start.parent.resolve() / start.name
    start = start.resolve()
    if not start.is_dir():
        raise DefinitionError(str(start), "there is no such folder", "name the folder of a project")
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise DefinitionError(FILE, f"there is none in {start} or above it", "write one with: seeder init")


def read_project(manifest: Path, overlays: Sequence[Path] = ()) -> Manifest:
    """The manifest with its datasets' folders and its scenarios. Raises DefinitionError with all problems of the manifest, and those of
    scenarios beside them; what is wrong with scenarios alone stops who asks for these."""
    read, problems = survey_project(manifest, overlays)
    if read is None or {*problems} - {problem for scenario in read.scenarios.values() for problem in scenario.problems}:
        raise DefinitionError.of(problems)
    return read


def survey_project(manifest: Path, overlays: Sequence[Path] = ()) -> tuple[Manifest | None, list[Problem]]:
    """As much of the project as can be read, its scenarios as overlays change them, and everything that is wrong with it."""
    path, problems = manifest.absolute(), Collector()
    changes = read_overlays(overlays, problems)
    own = read_scenarios(path.parent / SCENARIOS, changes)
    try:
        document = load(path)
    except DefinitionError as error:
        return None, [*error.problems, *problems.problems, *(problem for scenario in own.values() for problem in scenario.problems)]
    stacks = document.data.get("stacks")
    scenarios = joined(own, stacks if isinstance(stacks, dict) else (), changes)
    strays(changes, scenarios, problems)
    problems.problems += [problem for scenario in scenarios.values() for problem in scenario.problems]
    file = validated(ManifestFile, document.data, problems, mark=document.mark(), later=_refused(document))
    found = _manifest(file, document, scenarios, problems) if file else _stacks_alone(document, problems)
    return replace(found, overlays=tuple(overlays)), problems.problems


def _stacks_alone(document: Document, problems: Collector) -> Manifest:
    """What a manifest with mistakes still leads to: the compose files of those of its stacks that are sound."""
    written = document.data.get("stacks")
    items = {name: validated(StackItem, given, Collector()) for name, given in (written if isinstance(written, dict) else {}).items()}
    stacks = {name: _stack(name, item, document, problems) for name, item in items.items() if item}
    return Manifest("", document.path.parent, document.path, Defaults(), stacks, {}, {})


def _refused(document: Document) -> set[str]:
    """Keys that a later version knows."""
    policies = document.data.get("policies")
    return {f"policies.{name}.{key}" for name in (policies if isinstance(policies, dict) else ()) for key in REFUSED_IN_POLICY}


def _manifest(file: ManifestFile, document: Document, scenarios: Mapping[str, Scenario], problems: Collector) -> Manifest:
    for key, known in (("stack", file.stacks), ("policy", file.policies)):
        wanted = getattr(file.defaults, key)
        if wanted is not None and wanted not in known:
            problems.add(f"defaults.{key}", f"there is no {key} {wanted}", nearest(wanted, sorted(known)), document.mark(("defaults", key)))
    defaults = file.defaults
    return Manifest(
        project=file.project,
        root=document.path.parent,
        path=document.path,
        defaults=Defaults(defaults.stack, defaults.runtime, defaults.policy, defaults.seed, defaults.as_of),
        stacks={name: _stack(name, item, document, problems) for name, item in file.stacks.items()},
        datasets=_datasets(file.datasets, document, problems),
        scenarios=scenarios,
        policies={name: _policy(name, item) for name, item in file.policies.items()},
        targets={name: TargetEntry(name, item, document.mark(("targets", name))) for name, item in file.targets.items()},
        mark=document.mark(("defaults",)),
    )


def _stack(name: str, item: StackItem, document: Document, problems: Collector) -> StackEntry:
    written = [item.compose] if isinstance(item.compose, str) else item.compose
    if not written:
        problems.add(f"stacks.{name}.compose", "names no file", "name a compose file", document.mark(("stacks", name, "compose")))
    for number, relative in enumerate(written):
        if not (document.path.parent / relative).is_file():
            mark = document.mark(("stacks", name, "compose", number))
            remedy = _beside(document.path.parent, relative, Path.is_file)
            problems.add(f"stacks.{name}.compose", f"there is no file {relative}", remedy, mark)
    files = tuple(document.path.parent / relative for relative in written)
    return StackEntry(name, item.version, files, tuple(item.profiles), document.mark(("stacks", name)))


def _beside(root: Path, written: str, meant: Callable[[Path], bool]) -> str:
    """A remedy for a path that leads nowhere: what stands where it points and has a name like it."""
    place, rule = root / written, "paths count from the manifest's folder"
    names = sorted(one.name for one in place.parent.iterdir() if meant(one)) if place.parent.is_dir() else []
    remedy = nearest(place.name, names)
    return f"{remedy} ({rule})" if remedy.startswith("did you mean") else rule


def _policy(name: str, item: PolicyItem) -> Policy:
    return Policy(name, tuple(item.sources), item.rows, item.privacy, item.max_age, item.attached)


def _datasets(items: list[DatasetItem], document: Document, problems: Collector) -> dict[str, tuple[Dataset, ...]]:
    found: dict[str, list[Dataset]] = {}
    for number, item in enumerate(items):
        mark = document.mark(("datasets", number))
        same = [other for other in found.get(item.name, ()) if other.version == item.version]
        if same:
            cause = f"{item.name}@{item.version} stands in line {same[0].mark.line} already"
            problems.add(f"datasets.{number}", cause, "give it another version, or remove one", mark)
        found.setdefault(item.name, []).append(_dataset(item, number, document, problems))
    return {name: tuple(sorted(versions, key=lambda d: newest_first(d.version), reverse=True)) for name, versions in found.items()}


def _dataset(item: DatasetItem, number: int, document: Document, problems: Collector) -> Dataset:
    at, folder = ("datasets", number), document.path.parent / item.path
    if not folder.is_dir():
        cause = f"there is no folder {item.path}"
        remedy = _beside(document.path.parent, item.path, Path.is_dir)
        problems.add(f"datasets.{number}.path", cause, remedy, document.mark((*at, "path")))
    return Dataset(
        name=item.name,
        version=item.version,
        kind=item.kind,
        path=folder,
        files=data_files(folder) if folder.is_dir() else (),
        mark=document.mark(at),
        requires=_required(item.requires, document, (*at, "requires")),
        loads_at=_required(item.loads_at, document, (*at, "loads_at")),
        natural_keys={table: tuple(columns) for table, columns in item.natural_keys.items()},
        owner=item.owner,
        privacy=item.privacy,
        captured_at=item.captured_at,
        seed=Seed(tuple(item.seed.command), item.seed.within, tuple(item.seed.inputs)) if item.seed else None,
        gates=item.gates,
    )


def _required(written: Mapping[str, str], document: Document, at: tuple[str | int, ...]) -> tuple[Requirement, ...]:
    return tuple(Requirement(subject, wanted, document.mark((*at, subject))) for subject, wanted in written.items())
