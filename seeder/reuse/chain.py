"""How a plan's servers come to their states: every state on the way gets its id, so that what is kept can be found."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from seeder import fingerprint
from seeder.definition.dataset import Part
from seeder.definition.event import Occurrence
from seeder.definition.expectation import Expectation
from seeder.definition.scope import meaning
from seeder.definition.service import Build, Service
from seeder.definition.stack import Stack, Store
from seeder.definition.step import Step
from seeder.evidence import redact
from seeder.passed.fitness import Revision
from seeder.passed.layer import PORTABLE, Chain, State
from seeder.passed.operation import Call, Load, Make, Migrate, Plan, Sow
from seeder.protocols import Inspects, Joins, Layered, Migrator, RunsAs, Saves, Stepwise
from seeder.registry import ENGINES, MIGRATORS, RUNTIMES

SHOWN = 64  # characters, as many as a digest has
BESIDES = ""  # stands among services for what programs and steps are given


def of(plan: Plan) -> dict[str, Chain]:
    """Server -> its chain. A server whose way cannot be told from files has no states beyond that point, and says why."""
    return {server: _chain(plan, server) for server in plan.stack.servers}


def _chain(plan: Plan, server: str) -> Chain:
    service, stores = plan.stack.services[server], plan.stack.stores_of(server)
    form = _form(plan, server)
    given = _beginning(plan, service, stores)
    base = fingerprint.link("base", "", given)
    if form is None:
        return Chain(server, base, "", "", unkept="its image keeps its data where it cannot be taken from")
    states: list[State] = []
    unkept = _add_revisions(plan, stores, base, states)
    if not unkept:
        _add_datasets(plan, stores, base, states)
    return Chain(server, base, *form, tuple(states), unkept, flat(given))


def formed(plan: Plan, server: str) -> Chain:
    """The server's chain with the form in which it is kept now: an image that was not there when the plan was made has no digest in it.
    One that began at a layer goes on in that layer's form."""
    one = plan.chains[server]
    form = None if server in plan.begins else _form(plan, server)
    return replace(one, form=form[0], where=form[1]) if form else one


def _form(plan: Plan, server: str) -> tuple[str, str] | None:
    """The runtime's own form where it has one for this server, else the one that its engine saves. What an engine with a schema saves is
    rows and tables, and a server is more than that: its owners and rights. It is kept as a whole or not at all."""
    runtime, service = RUNTIMES.get(plan.runtime), plan.stack.services[server]
    name = plan.stack.stores_of(server)[0].engine
    image = plan.definition.request.images.get(server)
    physical = runtime.form(service, name, image) if isinstance(runtime, Layered) else None
    if physical:
        return physical
    engine = ENGINES.get(name)
    return (PORTABLE, "directory") if isinstance(engine, Saves) and not isinstance(engine, Inspects) else None


# -- the beginning ----------------------------------------------------------------------------------------------------


def _beginning(plan: Plan, service: Service, stores: Sequence[Store]) -> dict[str, Any]:
    """What decides how the server begins: its image, settings, mounted files, databases. Secrets are told apart by `secrets`."""
    return {
        "engine": stores[0].engine,
        "image": _program(plan, service),
        "environment": redact.tree(dict(sorted(service.environment.items()))),
        "words": redact.tree([list(service.entrypoint or ()), list(service.command or ())]),
        "files": dict(sorted(_mounted(service, ENGINES.get(stores[0].engine).launch(service).data))),
        "databases": sorted(store.database or "" for store in stores),
    }


Secrets = dict[str, list[Any]]


def secrets(plan: Plan, server: str, *, whole: bool = False) -> Secrets:
    """What ids leave out of the server's state: the secrets of whatever acts on it, by service. That is the server itself and the
    services that migrate its stores; of a state of a `whole` set it is every service, and what programs and steps are given."""
    acting = {server, *(name for store in plan.stack.stores_of(server) if (name := _runs_as(store, plan.stack)))}
    if not whole:
        return _secrets_of(plan, acting)
    return _secrets_of(plan, acting | set(plan.stack.clients)) | _besides(plan, (plan.full or plan).calls)


def every_secret(plan: Plan) -> Secrets:
    """What the id of an environment that is up leaves out."""
    full = plan.full or plan
    return _secrets_of(plan, plan.stack.services) | _besides(plan, (*full.calls, *full.acts))


def _secrets_of(plan: Plan, names: Iterable[str]) -> Secrets:
    found = {name: [*redact.of_service(plan.stack.services[name]), *_secrets_added(plan, name)] for name in sorted(names)}
    return {name: values for name, values in found.items() if values}


def _secrets_added(plan: Plan, service: str) -> Iterable[str]:
    return redact.of_environments(operation.environment for operation in plan.additions if operation.subject == service)


def _besides(plan: Plan, operations: Iterable[Asking]) -> Secrets:
    found = [value for one in operations if not isinstance(one, Call) for value in redact.hidden(_given(plan, one))]
    return {BESIDES: found} if found else {}


def _mounted(service: Service, data: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Files and folders of this machine that the server reads, init scripts among them; not what it keeps its data in."""
    held = tuple(data)
    for mount in service.mounts:
        if mount.kind == "secret" or any(mount.target == path or mount.target.startswith(f"{path}/") for path in held):
            continue
        source = Path(mount.source) if mount.source and mount.kind != "volume" else None
        if mount.content is not None:
            yield mount.target, mount.content
        elif source and source.is_file():
            yield mount.target, fingerprint.content(source)
        elif source and source.is_dir():
            yield mount.target, fingerprint.tree(source, fingerprint.inventory(source))


# -- at rest ----------------------------------------------------------------------------------------------------------


def _add_revisions(plan: Plan, stores: Sequence[Store], base: str, states: list[State]) -> str:
    """Append the states that migrations lead to; answer why one cannot be told, if so."""
    for store in stores:
        operation = next((m for m in plan.migrations if m.store.name == store.name), None)
        if operation is None:
            continue
        migrator = MIGRATORS.get(operation.tool)
        basis = migrator.basis(store, plan.stack)
        if basis is None:
            return f"`inputs` do not say which files decide what {operation.tool} does to {store.name}"
        basis = {**basis, **_differently(plan, _runs_as(store, plan.stack) or "")}
        for subject, inputs, files in _revisions(migrator, operation):
            given = {"store": store.name, "tool": operation.tool, "basis": redact.tree(basis), "revisions": inputs}
            identity = fingerprint.link("migrated", _last(base, states), given)
            states.append(State(identity, "migrate", store.name, subject, flat(given), files))
            for load in (one for one in plan.halts if isinstance(one, Load) and store.name in one.parts and one.at == subject):
                _add_dataset(plan, load, load.parts, base, states, store.name)
    if states:
        states[-1] = replace(states[-1], kept=True)
    return ""


def _differently(plan: Plan, service: str) -> dict[str, Any]:
    """What the service that migrates is run from and told beside what its stack says."""
    asked, added = plan.definition.request.images.get(service), _added(plan, service)
    return ({"image": asked} if asked else {}) | ({"added": added} if added else {})


def _runs_as(store: Store, stack: Stack) -> str | None:
    """The service that migrates the store: the one that is named, else the one that its migrator finds."""
    if store.migrate is None:
        return None
    migrator = MIGRATORS.get(store.migrate.tool)
    return migrator.runs_as(store, stack) if isinstance(migrator, RunsAs) else store.migrate.service or store.migrate.as_


def _revisions(migrator: Migrator, operation: Migrate) -> Iterator[tuple[str, list[list[str]], tuple[Path, ...]]]:
    """Where the tool goes step by step each revision is a state, or each piece of the history; else all of them together are one."""
    pieces: Iterable[Sequence[Revision]] = [[revision] for revision in operation.revisions]
    stepwise = isinstance(migrator, Stepwise) and migrator.stepwise
    if not stepwise:
        pieces = [operation.revisions]
    elif isinstance(migrator, Joins):
        pieces = migrator.steps(operation.revisions)
    for piece in pieces:
        contents = [[revision.id, revision.content or fingerprint.content(revision.file)] for revision in piece]
        yield piece[-1].id if stepwise else operation.tool, contents, tuple(dict.fromkeys(revision.file for revision in piece))


def _add_datasets(plan: Plan, stores: Sequence[Store], base: str, states: list[State]) -> None:
    names, before = {store.name for store in stores}, len(states)
    for load in plan.loads:
        if parts := {store: found for store, found in load.parts.items() if store in names}:
            _add_dataset(plan, load, parts, base, states)
    if len(states) > before:
        states[-1] = replace(states[-1], kept=True)


def _add_dataset(plan: Plan, load: Load, parts: Mapping[str, Sequence[Part]], base: str, states: list[State], store: str = "") -> None:
    given = _seeded(plan, load, {name: _contents(found) for name, found in parts.items()})
    files = tuple(part.path for found in parts.values() for part in found)
    identity = fingerprint.link("seeded", _last(base, states), given)
    states.append(State(identity, "load", store, load.dataset.label, flat(given), files))


def _seeded(plan: Plan, load: Load, parts: Mapping[str, Any]) -> dict[str, Any]:
    keys = {table: list(columns) for table, columns in load.dataset.natural_keys.items() if table.split(".")[0] in parts}
    return {"parts": parts, "upserts": load.dataset.upserts, "keys": keys, "as_of": plan.definition.as_of.isoformat()}


def _contents(parts: Sequence[Part]) -> list[list[str]]:
    return [[part.kind, part.name, part.format, fingerprint.content(part.path)] for part in parts]


def _last(base: str, states: Sequence[State]) -> str:
    return states[-1].id if states else base


# -- through services -------------------------------------------------------------------------------------------------

Asking = Call | Sow | Make


def whole(plan: Plan, chains: Mapping[str, Chain]) -> str:
    """The id of the set that all stores are once everything acted through the services; empty where nothing acts, and where files do
    not tell what did. Each runtime has a set of its own: what services made up in one cut is not what they did in another."""
    return next(iter(wholes(plan, chains, [len(plan.calls)])), "")


def wholes(plan: Plan, chains: Mapping[str, Chain], counts: Iterable[int]) -> list[str]:
    """The same after each of so many of the plan's calls; none where there is no such set."""
    if not plan.calls or _vague(plan, chains):
        return []
    inputs = {**_inputs(plan, chains, plan.calls), "runtime": plan.runtime}
    return [fingerprint.link("whole", "", {**inputs, "calls": inputs["calls"][:count]}) for count in counts]


def environment(plan: Plan) -> str:
    """The id of an environment that is up: equal ones cannot be told apart. Empty where files do not tell what it is made of."""
    plan = plan.full or plan
    chains = of(plan)
    if _vague(plan, chains):
        return ""
    files = [fingerprint.content(path) for path in (*plan.stack.files, *plan.stack.env_files) if path.is_file()]
    asked = {"runtime": plan.runtime, "stack": plan.stack.name, "files": files}
    return fingerprint.link("whole", "", {**_inputs(plan, chains, (*plan.calls, *plan.acts)), **asked})


def _vague(plan: Plan, chains: Mapping[str, Chain]) -> bool:
    """Whether files do not tell what comes of it."""
    programs = all(operation.seed.inputs for operation in plan.calls if isinstance(operation, Sow))
    asked = [one.capability for one in (*plan.calls, *plan.acts) if isinstance(one, Make)]
    return not programs or not all(one.known for one in asked if one) or any(chain.unkept for chain in chains.values())


def _inputs(plan: Plan, chains: Mapping[str, Chain], operations: Sequence[Asking]) -> dict[str, Any]:
    return {
        "stores": {server: chain.end for server, chain in sorted(chains.items())},
        "calls": [_call(plan, operation) for operation in operations],
        "versions": _versions() if any(isinstance(operation, Make) for operation in operations) else {},
        "services": {name: _service(plan, plan.stack.services[name]) for name in sorted(plan.stack.clients)},
        "as_of": plan.definition.as_of.isoformat(),
        "seed": plan.definition.seed,
    }


def acting(plan: Plan) -> dict[str, str]:
    """The same but for the stores, as it is told to a person."""
    operations = (plan.full or plan).calls
    given = {name: value for name, value in _inputs(plan, {}, operations).items() if name != "stores"}
    calls = {f"{o.cause if isinstance(o, Call) else o.subject}: {o.detail}": _call(plan, o)[-1] for o in operations}
    return flat({**given, "calls": calls})


def _call(plan: Plan, operation: Asking) -> list[str]:
    if isinstance(operation, Call):
        return ["http", operation.subject, fingerprint.content(operation.part.path)]
    by = _written(plan, operation) if isinstance(operation, Sow) else _offered(operation)
    given = redact.tree(_given(plan, operation))
    kind = "program" if isinstance(operation, Sow) else "step"
    name = operation.subject if isinstance(operation, Sow) else operation.step.key
    return [kind, name, fingerprint.link("whole", "", {"by": by, "given": given})]


def _given(plan: Plan, operation: Sow | Make) -> dict[str, Any]:
    """What a program or a step is told. What of it looks like a secret is in no id, and `secrets` tells it."""
    scenario = plan.definition.scenario
    if isinstance(operation, Sow):
        known = scenario is not None and not scenario.every  # else nobody knows outputs by then
        return {"command": list(operation.seed.command), "outputs": dict(scenario.outputs) if scenario and known else {}}
    step = operation.step
    return {
        "step": [step.key, step.use, dict(step.given), step.each, step.count, sorted(step.needs())],
        "watch": asdict(step.watch) if step.watch else None,
        **({"events": [_event(one) for one in step.events], "store": step.store} if step.events else {}),
        **({"expect": [_expected(one) for one in step.expect]} if step.expect else {}),
        **_told(step),
    }


def _event(one: Occurrence) -> list[Any]:
    return [one.name, one.subject, one.given, dict(one.headers)]


def _expected(one: Expectation) -> dict[str, Any]:
    """All that decides whether it holds: not where it is written."""
    return {name: value for name, value in asdict(one).items() if name != "mark"}


def _told(step: Step) -> dict[str, Any]:
    """What the inputs and the used scenarios that a step refers to are."""
    if step.scope is None:
        return {}
    by_root: dict[str, dict[str, Any]] = {"inputs": {}, "uses": {}}
    for reference in step.references():
        if reference.root == "inputs":
            by_root["inputs"][str(reference.way[0])] = meaning(reference, step.scope)
        elif reference.root in step.scope.used:
            by_root["uses"][str(reference)] = meaning(reference, step.scope)
    return by_root


def _written(plan: Plan, operation: Sow) -> str:
    root = plan.definition.manifest.root
    files = sorted({path.relative_to(root).as_posix() for glob in operation.seed.inputs for path in root.glob(glob) if path.is_file()})
    return fingerprint.tree(root, files)


def _offered(operation: Make) -> list[str]:
    about = operation.capability
    return [about.name, about.version, about.digest] if about else []


def _versions() -> dict[str, str]:
    """Of libraries that shape what steps make."""
    try:
        return {"faker": importlib.metadata.version("faker")}
    except importlib.metadata.PackageNotFoundError:  # then no step asks it for anything
        return {}


def _service(plan: Plan, service: Service) -> dict[str, Any]:
    """What a service is: its program and how it is told to behave."""
    local = service.x.local
    return {
        "program": _program(plan, service),
        "environment": redact.tree([dict(sorted(given.items())) for given in (service.environment, local.environment if local else {})]),
        "words": redact.tree([list(words or ()) for words in (service.entrypoint, service.command, local.command if local else ())]),
        "files": dict(sorted(_mounted(service, ()))),
        "added": _added(plan, service.name),
    }


def _added(plan: Plan, service: str) -> list[list[Any]]:
    """What datasets add to the service: variables and files."""
    return [
        [redact.tree(dict(sorted(o.environment.items()))), {path: fingerprint.content(file) for path, file in sorted(o.files.items())}]
        for o in plan.additions
        if o.subject == service
    ]


def _program(plan: Plan, service: Service) -> Any:
    """The files that `inputs` names where it names some, else all that it is run in without containers or built from; else its image."""
    root = plan.stack.project_dir
    if image := plan.definition.request.images.get(service.name):
        return image
    if service.x.inputs:
        chosen = [path for glob in service.x.inputs for path in root.glob(glob)]
        inside = [name for path in chosen for name in ([path.relative_to(root).as_posix()] if path.is_file() else _below(root, path))]
        return fingerprint.tree(root, sorted(set(inside)))
    if service.x.local and (plan.runtime == "local" or (service.image is None and service.build is None)):
        folder = Path(os.path.normpath(root / service.x.local.cwd))
        return fingerprint.tree(folder, fingerprint.inventory(folder))
    return _built(service.build) if service.build else service.image or ""


def _built(build: Build) -> dict[str, Any]:
    """All that decides what comes of a build, but secrets among its arguments; its Dockerfile may lie outside of its context."""
    file = build.context / build.dockerfile
    return {
        "context": build.remote or fingerprint.tree(build.context, fingerprint.inventory(build.context)),
        "dockerfile": build.inline or (fingerprint.content(file) if file.is_file() else build.dockerfile),
        "target": build.target,
        "args": redact.tree(dict(sorted(build.args.items()))),
    }


def _below(root: Path, folder: Path) -> list[str]:
    return [(folder / name).relative_to(root).as_posix() for name in fingerprint.inventory(folder)]


def flat(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Inputs by the way to them (`basis.shared.env.py`), as they are told to a person; of what is long stands the digest."""
    return dict(_flat("", inputs))


def _flat(way: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(f"{way}.{name}" if way else str(name), item)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value):
            yield from _flat(f"{way}.{place}", item)
    elif isinstance(value, list) and value and all(_named_digest(item) for item in value):
        for item in value:
            yield f"{way}.{'/'.join(item[:-1])}", item[-1]
    else:
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        yield way, text if len(text) <= SHOWN else fingerprint.text(text)


def _named_digest(item: Any) -> bool:
    """`[kind, name, digest]`, and not the words of a command."""
    return isinstance(item, list) and len(item) > 1 and bool(re.fullmatch("[0-9a-f]{64}", str(item[-1])))
