"""What was asked for, and the definition that answers it: one stack, one scenario at most, its datasets, policy, seed and time."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from seeder.definition.alone import alone
from seeder.definition.compose import read_stack
from seeder.definition.dataset import Dataset
from seeder.definition.dataset_parts import fits
from seeder.definition.manifest import Manifest, Policy, StackEntry, TargetEntry, find_manifest, read_project
from seeder.definition.scenario import DatasetRef, Scenario, bind
from seeder.definition.shared import attached
from seeder.definition.stack import ATTACHED, Stack
from seeder.definition.stores import Engines, engine_of
from seeder.definition.version import matches
from seeder.errors import Collector, DefinitionError, Problem, UsageError, nearest
from seeder.frozen import frozen

T = TypeVar("T")


@frozen
class Request:
    """What the caller asked for; None leaves the choice to the manifest's defaults."""

    stack: str | None = None
    scenario: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] | None = None
    profiles: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    runtime: str | None = None
    target: str | None = None  # the shared system that is attached to
    policy: str | None = None
    seed: int | None = None
    isolate_binds: bool = False
    cache: bool = True  # begin at layers that are there, keep what is built
    overlays: tuple[str, ...] = ()  # files that change scenarios, absolute
    alone: str | None = None  # this server and no service, as databases of tests have it

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Request:
        """From JSON. What an earlier seeder did not write has its default; what a later one wrote is left out."""
        known = {one.name for one in fields(cls)}
        told: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in given.items() if name in known}
        return cls(**told)


@frozen
class Definition:
    """Everything that should exist, read and cross-checked as far as files tell; `runtime` may still be `auto`."""

    manifest: Manifest
    stack: Stack
    scenario: Scenario | None
    datasets: tuple[Dataset, ...]
    policy: Policy | None
    runtime: str
    seed: int
    as_of: datetime.datetime
    request: Request


def find_project(folder: Path | None, overlays: Sequence[str | Path] = ()) -> Manifest:
    """The project of the folder, or of the current one, as overlays change its scenarios; walks up to its manifest.yaml."""
    return read_project(find_manifest(folder or Path.cwd()), [Path(one) for one in overlays])


def resolve(manifest: Manifest, request: Request, engines: Engines, environment: Mapping[str, str] | None = None) -> Definition:
    """Read what the request names; `engines`: by which stores are told.

    Raises DefinitionError with all problems of a file, UsageError for unknown names.
    """
    if (overlays := tuple(Path(one) for one in request.overlays)) != manifest.overlays:
        manifest = read_project(manifest.path, overlays)
    scenario = _scenario(manifest, request)
    entry = _stack_entry(manifest, request, scenario)
    variables = os.environ if environment is None else environment
    stack = read_stack(entry, environment=variables, engines=engines, profiles=request.profiles, only=request.services)
    stack = _with_images(stack, request.images, engines)
    policy = _policy(manifest, request.policy or manifest.defaults.policy)
    runtime = request.runtime or manifest.defaults.runtime
    if target := _target(manifest, request, stack, runtime):
        stack, runtime = attached(stack, target, policy, variables.get), ATTACHED
    bound = bind(scenario, request.inputs) if scenario else None
    if request.inputs and not scenario:
        raise UsageError("--set", "inputs belong to a scenario, and none was asked for", "add --scenario NAME")
    defaults = manifest.defaults
    made = Definition(
        manifest=manifest,
        stack=stack,
        scenario=bound,
        datasets=_datasets(manifest, stack, bound),
        policy=policy,
        runtime=runtime,
        seed=defaults.seed if request.seed is None else request.seed,
        as_of=defaults.as_of,
        request=request,
    )
    return of_server(made, request.alone) if request.alone else made


def of_server(definition: Definition, server: str) -> Definition:
    """The part of it that one server is, without services. Raises UsageError where the stack has no such server."""
    named(definition.stack.services, server, "service")
    return replace(definition, stack=alone(definition.stack, server), request=replace(definition.request, alone=server))


def _scenario(manifest: Manifest, request: Request) -> Scenario | None:
    if request.scenario is None:
        return None
    return scenario_of(manifest, request.scenario)


def scenario_of(manifest: Manifest, name: str) -> Scenario:
    """The scenario of that name. Raises UsageError with the nearest, DefinitionError with all that is wrong with its file, or with files
    of which not even the name can be read."""
    unread = [problem for one in manifest.scenarios.values() if not one.version for problem in one.problems]
    if name not in manifest.scenarios and unread:
        raise DefinitionError.of([Problem(name, "there is no such scenario among those that can be read"), *unread])
    found = named(manifest.scenarios, name, "scenario")
    if wrong := [problem for one in found.closure() for problem in one.problems]:
        raise DefinitionError.of(dict.fromkeys(wrong))
    return found


def _stack_entry(manifest: Manifest, request: Request, scenario: Scenario | None) -> StackEntry:
    name = request.stack or (scenario.stack if scenario else None) or manifest.defaults.stack
    if name is None and len(manifest.stacks) == 1:
        name = next(iter(manifest.stacks))
    if name is None:
        raise UsageError("stack", "several are defined and none was named", f"name one of {', '.join(sorted(manifest.stacks))}")
    if scenario and scenario.stack != name:
        cause = f"this scenario is for stack {scenario.stack}, not {name}"
        raise UsageError(scenario.name, cause, f"ask for stack {scenario.stack}", scenario.mark)
    return named(manifest.stacks, name, "stack")


def _policy(manifest: Manifest, name: str | None) -> Policy | None:
    return None if name is None else named(manifest.policies, name, "policy")


def named(known: Mapping[str, T], name: str, what: str) -> T:
    """The one of that name. Raises UsageError with the nearest."""
    if name not in known:
        raise UsageError(name, f"there is no such {what}", nearest(name, sorted(known)))
    return known[name]


def taking_part(stack: Stack, known: Mapping[str, object], name: str, what: str) -> str:
    """The name, where it is among those that are known. Raises UsageError: why what the files name takes no part in this run, or the
    nearest."""
    __tracebackhide__ = True  # pytest shows the line of the test
    if name in known:
        return name
    service = stack.unasked[name].service if name in stack.unasked else name.split("/", maxsplit=1)[0]
    if stack.shared and {name, service} & {*stack.unasked, *stack.absent}:
        cause = f"is not part of this run: target {stack.shared.name} does not declare it"
        raise UsageError(name, cause, f"say in the manifest how it is reached: targets.{stack.shared.name}")
    if why := stack.absent.get(service):
        raise UsageError(name, f"is not part of this run: {why}", "let it take part: --services and --profile say what does")
    raise UsageError(name, f"stack {stack.name} has no such {what}", nearest(name, sorted(known)))


def _target(manifest: Manifest, request: Request, stack: Stack, runtime: str) -> TargetEntry | None:
    """The shared system that is meant, if any. Raises UsageError for what cannot be done with one."""
    if request.target is None and runtime != ATTACHED:
        return None
    if request.runtime not in (None, ATTACHED):
        cause = f"attaches to a system that is there, and --runtime {request.runtime} starts one"
        raise UsageError(f"--target {request.target}", cause, "leave one of them out")
    asked = {"--image": request.images, "--isolate-binds": request.isolate_binds, "--profile": request.profiles}
    for option in (name for name, given in asked.items() if given):
        raise UsageError(option, "a shared system is attached to as it is", f"leave {option} out, or start the stack: no --target")
    fitting = {name: one for name, one in manifest.targets.items() if one.written.stack == stack.name}
    if request.target is None:
        if len(fitting) == 1:
            return next(iter(fitting.values()))
        remedy = f"add --target {'|'.join(sorted(fitting))}" if fitting else "declare one in the manifest: targets"
        raise UsageError("--runtime attached", f"{len(fitting) or 'no'} targets of stack {stack.name} are declared", remedy)
    found = named(manifest.targets, request.target, "target")
    if found.written.stack != stack.name:
        raise UsageError(f"--target {found.name}", f"is a system of stack {found.written.stack}, not {stack.name}", mark=found.mark)
    return found


def _with_images(stack: Stack, images: Mapping[str, str], engines: Engines) -> Stack:
    """The stack as it will run. A store stays what it is: its image may be another version or build of the same server."""
    for service, image in images.items():
        if service not in stack.services:
            raise UsageError(f"--image {service}", "the stack has no such service", nearest(service, sorted(stack.services)))
        held, engine = stack.stores_of(service), engine_of(replace(stack.services[service], image=image), engines)
        if held and engine not in (None, held[0].engine):
            cause = f"{service} is a {held[0].engine} store, and this is an image of {engine}"
            raise UsageError(f"--image {service}={image}", cause, f"name an image of {held[0].engine}")
    return replace(stack, services={name: replace(s, image=images.get(name, s.image)) for name, s in stack.services.items()})


def _datasets(manifest: Manifest, stack: Stack, scenario: Scenario | None) -> tuple[Dataset, ...]:
    """The scenario's datasets, lookups first; without a scenario the reference and config data made for this stack."""
    if scenario is None:
        fitting = (versions[0] for _, versions in sorted(manifest.datasets.items()))
        return _lookups_first(d for d in fitting if d.upserts and fits(d, stack))
    problems = Collector()
    found = data_of(scenario, manifest, problems)
    problems.raise_if_any()
    return _lookups_first(found)


def data_of(scenario: Scenario, manifest: Manifest, problems: Collector) -> list[Dataset]:
    """The datasets that the scenario names, and before them those of the scenarios that it uses. Those that the manifest does not know go
    to `problems`, and those of which two of them want versions that no one dataset has."""
    wanted: dict[str, list[tuple[Scenario, DatasetRef]]] = {}
    for one in scenario.closure():
        for ref in one.data:
            wanted.setdefault(ref.name, []).append((one, ref))
    return [found for asked in wanted.values() if (found := _dataset(asked, manifest, problems))]


def _dataset(wanted: Sequence[tuple[Scenario, DatasetRef]], manifest: Manifest, problems: Collector) -> Dataset | None:
    """The newest version that all of them take; the last one is told where there is none."""
    name, lacking = wanted[0][1].name, False
    versions = manifest.datasets.get(name, ())
    for scenario, ref in wanted:
        if not versions:
            problems.add(scenario.name, f"the manifest knows no dataset {name}", nearest(name, sorted(manifest.datasets)), ref.mark)
        elif not any(matches(d.version, ref.version) for d in versions):
            remedy = f"known: {', '.join(d.version for d in versions)}"
            problems.add(scenario.name, f"the manifest knows no version {ref.version} of {name}", remedy, ref.mark)
            lacking = True
    found = next((d for d in versions if all(matches(d.version, ref.version) for _, ref in wanted)), None)
    if versions and not found and not lacking:
        sides = " and ".join(f"scenario {one.name} {name}@{ref.version} ({ref.mark})" for one, ref in wanted if ref.version)
        cause = f"an environment holds one version of {name}, and {sides} want different ones"
        problems.add(wanted[-1][0].name, cause, "name one version that all of them take", wanted[-1][1].mark)
    return found


def _lookups_first(datasets: Iterable[Dataset]) -> tuple[Dataset, ...]:
    rank = {"reference": 0, "config": 1}
    return tuple(sorted(datasets, key=lambda d: rank.get(d.kind, 2)))
