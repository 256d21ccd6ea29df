"""Everything that is wrong with a definition, all at once, starting nothing: files against each other, and against what seeder can do."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from seeder.datasets import dangling
from seeder.definition import consistency, shared
from seeder.definition.checksums import NAME, is_locked, verify
from seeder.definition.compose import read_stack, service_names
from seeder.definition.dataset import Dataset, Part
from seeder.definition.dataset_parts import fits
from seeder.definition.event_types import unheard
from seeder.definition.manifest import Manifest, StackEntry, find_manifest, survey_project
from seeder.definition.policy import refusals, too_many
from seeder.definition.request import Request, data_of
from seeder.definition.scenario import Scenario, strangers
from seeder.definition.stack import ATTACHED, Stack
from seeder.errors import Collector, DefinitionError, EnvironmentFailed, Problem, SeederError, UsageError, counted, nearest
from seeder.graph import edges, literals, origins
from seeder.planning import soundness
from seeder.planning.soundness import Judged, Offered
from seeder.promises import locked
from seeder.registry import RUNTIMES, traits


@dataclass
class Findings:
    """What is wrong (`errors`: a run would be refused), and what should be looked at (`hints`)."""

    errors: list[Problem] = field(default_factory=list)
    hints: list[Problem] = field(default_factory=list)

    def ordered(self) -> Findings:
        """Each problem once, in the order of the places."""
        return Findings(_ordered(self.errors), _ordered(self.hints))


def check_project(start: Path, environment: Mapping[str, str], now: datetime.datetime, overlays: Sequence[Path] = ()) -> Findings:
    """Check the project of a folder as far as it can be read, its scenarios as overlays change them; `environment` fills variables of
    compose files, ages count to `now`."""
    try:
        manifest, problems = survey_project(find_manifest(start), overlays)
    except DefinitionError as error:
        return Findings(list(error.problems))
    found = check(manifest, environment, now) if manifest else Findings()
    return Findings([*problems, *found.errors], found.hints).ordered()


def whole(error: DefinitionError, start: Path, environment: Mapping[str, str], now: datetime.datetime, asked: Request) -> SeederError:
    """A refusal with all that is wrong with what is asked for beside it, so that mending one mistake does not only show the next; how much
    is wrong with other scenarios and targets stands in its log. One that is not the definition's alone (what a runtime refuses, say)
    stays as it is."""
    overlays = [Path(one) for one in asked.overlays]
    found = check_project(start, environment, now, overlays).errors
    if not set(error.problems) <= set(found):
        return error
    beside = _beside(survey_project(find_manifest(start), overlays)[0], asked)
    told = [problem for problem in found if problem in error.problems or not beside(problem)]
    left = len(found) - len(told)
    whole = DefinitionError.of(told)
    whole.log = f"`seeder check` tells {counted(left, 'more problem')}, of scenarios and targets that are not used here" if left else ""
    return whole


def _beside(manifest: Manifest | None, asked: Request) -> Callable[[Problem], bool]:
    """Whether a problem is one of a scenario or target that has no part in what is asked for; of scenarios only where one is named."""
    if manifest is None:
        return lambda _: False
    wanted = manifest.scenarios.get(asked.scenario or "")
    used = {one.mark.file for one in wanted.closure()} if wanted else set()
    others = {one.mark.file for one in manifest.scenarios.values()} - used if wanted else set()
    targets = [] if asked.runtime == ATTACHED and not asked.target else [name for name in manifest.targets if name != asked.target]

    def beside(problem: Problem) -> bool:
        return (problem.mark is not None and problem.mark.file in others) or any(
            f"{problem.subject}.".startswith(f"targets.{name}.") for name in targets
        )

    return beside


@contextmanager
def entire(start: Path, asked: Request) -> Iterator[None]:
    """What refuses a definition inside is told with all that is wrong with what is asked for of the project, as `whole` has it."""
    try:
        yield
    except UsageError:
        raise
    except DefinitionError as error:
        raise whole(error, start, os.environ, datetime.datetime.now(datetime.UTC), asked) from error


def check(manifest: Manifest, environment: Mapping[str, str], now: datetime.datetime) -> Findings:
    """Check a manifest with its stacks, datasets and scenarios."""
    findings = Findings()
    findings.errors += _defaults(manifest)
    engines = traits()
    stacks: dict[str, Stack] = {}
    named: dict[str, frozenset[str]] = {}  # of a stack that cannot be read, the services that its files name
    judged: dict[str, Judged] = {}
    offered: dict[str, Offered] = {}
    for name, entry in manifest.stacks.items():
        try:
            stacks[name] = read_stack(entry, environment=environment, engines=engines)
        except DefinitionError as error:
            findings.errors += [problem for problem in error.problems if not _is_absent(problem, entry)]
            named[name] = service_names(entry, environment)
            continue
        judged[name], offered[name] = _stack(stacks[name], manifest, findings)
    for dataset in (version for versions in manifest.datasets.values() for version in versions):
        _dataset(dataset, manifest, stacks, findings)
    columns = dangling.Columns(manifest.defaults.as_of)
    for scenario in manifest.scenarios.values():
        _scenario(scenario, manifest, findings)
        if stack := stacks.get(scenario.stack):
            findings.errors += [*soundness.of_scenario(scenario, stack)[1], *soundness.of_steps(scenario, stack, offered[stack.name])]
            findings.hints += unheard(scenario)
            findings.hints += edges.unasked(scenario, offered[stack.name].capabilities)
            _data(scenario, stack, data_of(scenario, manifest, Collector()), offered[stack.name], columns, findings)
        elif services := named.get(scenario.stack):
            findings.errors += strangers(scenario, services)
    for stack, dataset in _used(manifest, stacks):
        findings.errors += soundness.of_requirements(dataset, stack, judged[stack.name])
    _policies(manifest, stacks, findings, now)
    _targets(manifest, stacks, offered, findings)
    return findings.ordered()


def _stack(stack: Stack, manifest: Manifest, findings: Findings) -> tuple[Judged, Offered]:
    """What the stack says by itself: its histories, its capabilities, whether it can run."""
    judged, offered = soundness.of_stack(stack), soundness.of_generators(stack)
    findings.errors += [*judged.problems, *offered.problems]
    if not offered.problems:
        _locked(stack, offered, manifest, findings)
    findings.hints += consistency.hints(stack)
    if judged.known:
        _runtimes(manifest.defaults.runtime, stack, findings)
    return judged, offered


def _data(
    scenario: Scenario, stack: Stack, every: Sequence[Dataset], offered: Offered, columns: dangling.Columns, findings: Findings
) -> None:
    """The scenario's data beside its steps: keys that stand there in letters, that lead nowhere, records that nobody may insert."""
    parts = {one.label: soundness.of_dataset(one, stack)[0] for one in every}
    findings.hints += literals.in_steps(scenario, every, offered.capabilities)
    findings.hints += dangling.keys(stack.references, every, parts, columns)
    findings.errors += origins.refused(scenario, [one for one in every if origins.inserts(one, parts[one.label])], offered.capabilities)


def _locked(stack: Stack, offered: Offered, manifest: Manifest, findings: Findings) -> None:
    """What became of capabilities since they were locked, and whom that breaks."""
    try:
        before = locked.read(stack)
    except DefinitionError as error:
        findings.errors += error.problems
        return
    if before is None:
        promised = len(locked.promises(offered.capabilities))
        many, promise = counted(promised, "capability"), "promises" if promised == 1 else "promise"
        cause = f"what {many} of stack {stack.name} {promise} is not locked: nobody is told when it changes"
        findings.hints += [Problem(locked.FILE, cause, locked.AGAIN)] if promised else []
        return
    scenarios = [scenario for _, scenario in sorted(manifest.scenarios.items()) if scenario.stack == stack.name]
    for changed in locked.compare(before, offered.capabilities):
        findings.errors += locked.problems(changed, scenarios)
        findings.hints += [hint] if (hint := locked.hint(changed)) else []
    for name in locked.unlocked(before, offered.capabilities):
        findings.hints.append(Problem(name, "is not locked yet", locked.AGAIN, offered.capabilities[name].mark))


def _is_absent(problem: Problem, entry: StackEntry) -> bool:
    """Of a compose file that is not there the manifest's line is told, which names it."""
    file = problem.mark.file if problem.mark else None
    return file is not None and file in entry.compose and not file.is_file()


def _defaults(manifest: Manifest) -> Iterator[Problem]:
    known = ["auto", *RUNTIMES.names()]
    if manifest.defaults.runtime not in known:
        cause = f"there is no runtime {manifest.defaults.runtime}"
        yield Problem("defaults.runtime", cause, nearest(manifest.defaults.runtime, known), manifest.mark)


def _runtimes(wanted: str, stack: Stack, findings: Findings) -> None:
    """What a run would be refused for by the runtime that it takes. `auto` takes docker where an engine answers; what local refuses is
    of interest then where somebody means the stack to run there, or where none answers here: that is this machine's, and a hint."""
    if wanted != "auto":
        findings.errors += _refused(wanted, stack) if wanted in RUNTIMES.names() else ()
        return
    docker, local = _refused("docker", stack), _refused("local", stack)
    findings.errors += [problem if problem in local else _only("docker", problem) for problem in docker]
    meant = any(service.x.local for service in stack.services.values())
    absent = None if meant or not local else RUNTIMES.get("docker").available()
    if absent:
        cause = f"cannot be used here, so that a run takes local: {absent.cause}"
        findings.hints.append(Problem("docker", cause, absent.remedy))
    if meant or absent:
        findings.hints += [_only("local", problem) for problem in local if problem not in docker]


def _beyond(wanted: str, stack: Stack, parts: Iterable[Part], findings: Findings) -> None:
    """The same of a dataset's files."""
    if wanted in RUNTIMES.names():
        findings.errors += soundness.beyond(RUNTIMES.get(wanted), stack, parts)
    elif any(service.x.local for service in stack.services.values()):
        findings.hints += [_only("local", problem) for problem in soundness.beyond(RUNTIMES.get("local"), stack, parts)]


def _refused(runtime: str, stack: Stack) -> list[Problem]:
    try:
        return list(soundness.refused(stack, RUNTIMES.get(runtime).survey(stack)))
    except DefinitionError as error:
        return list(error.problems)
    except EnvironmentFailed:
        return []  # a docker context that is not there, say, is this machine's and not the definition's


def _only(runtime: str, problem: Problem) -> Problem:
    return replace(problem, cause=f"refused on {runtime}: {problem.cause}")


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
    asked = homes or (list(stacks.values()) if len(stacks) == 1 else [])
    judged = [soundness.of_dataset(dataset, stack) for stack in asked]
    findings.errors += [problem for _, problems in judged for problem in problems]
    for stack, (parts, _) in zip(asked, judged, strict=True):
        _beyond(manifest.defaults.runtime, stack, parts, findings)
    for part in judged[0][0] if judged else ():
        findings.errors += soundness.of_file(part, manifest.defaults.as_of)


def _scenario(scenario: Scenario, manifest: Manifest, findings: Findings) -> None:
    if scenario.stack and scenario.stack not in manifest.stacks:
        cause = f"there is no stack {scenario.stack}"
        findings.errors.append(Problem(scenario.name, cause, nearest(scenario.stack, sorted(manifest.stacks)), scenario.mark))
    unknown = Collector()
    data_of(scenario, manifest, unknown)
    findings.errors += unknown.problems


def _used(manifest: Manifest, stacks: Mapping[str, Stack]) -> list[tuple[Stack, Dataset]]:
    """Which dataset meets which stack: those of scenarios, and reference and config data that every run of a stack gets."""
    pairs: dict[tuple[str, str], tuple[Stack, Dataset]] = {}
    for scenario in manifest.scenarios.values():
        if stack := stacks.get(scenario.stack):
            pairs |= {(stack.name, dataset.label): (stack, dataset) for dataset in data_of(scenario, manifest, Collector())}
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
        findings.hints += too_many(default, data_of(scenario, manifest, Collector())) if default else ()


def _targets(manifest: Manifest, stacks: Mapping[str, Stack], offered: Mapping[str, Offered], findings: Findings) -> None:
    for name, entry in manifest.targets.items():
        wanted = entry.written.stack
        if wanted not in manifest.stacks:
            remedy = nearest(wanted, sorted(manifest.stacks))
            findings.errors.append(Problem(f"targets.{name}.stack", f"there is no stack {wanted}", remedy, entry.mark))
        elif stack := stacks.get(wanted):
            known = offered[wanted]
            findings.errors += shared.mistakes(entry, stack)
            for capability in sorted(set(entry.written.marks) - set(known.capabilities)) if not known.problems else ():
                remedy = nearest(capability, sorted(known.capabilities))
                cause = f"there is no capability {capability}"
                findings.errors.append(Problem(f"targets.{name}.marks", cause, remedy, entry.mark))


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    once = dict.fromkeys(problems)
    return sorted(once, key=lambda p: (str(p.mark.file), p.mark.line) if p.mark else ("", 0))
