"""Definition + what exists -> operations, each with its cause. Decides everything and does nothing; the stages only execute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from seeder.definition import consistency, overlay
from seeder.definition.dataset import Dataset, Part, parts
from seeder.definition.duration import seconds
from seeder.definition.policy import refusals, too_many
from seeder.definition.request import Definition
from seeder.definition.stack import Service, Stack, Store
from seeder.definition.version import unmet
from seeder.errors import Collector, DefinitionError, EnvironmentFailed, Problem, nearest
from seeder.operation import Call, Check, Configure, Load, Migrate, Plan, Sow, Start
from seeder.order import Cycle, closure, sort
from seeder.protocols import Fitness, Inspects, Loads, Queries, Revision, Runtime
from seeder.registry import ENGINES, MIGRATORS, RUNTIMES


def choose(name: str) -> tuple[Runtime, str]:
    """The runtime, and why it was taken. Raises EnvironmentFailed when the one asked for cannot be used on this machine."""
    if name != "auto":
        wanted = RUNTIMES.get(name)
        if problem := wanted.available():
            raise EnvironmentFailed.of([problem])
        return wanted, "asked for"
    docker = RUNTIMES.get("docker")
    problem = docker.available()
    return (RUNTIMES.get("local"), f"docker is not available: {problem.cause}") if problem else (docker, "a Docker engine answers")


def make(definition: Definition, runtime: Runtime, runtime_cause: str) -> Plan:
    """Decide. Raises DefinitionError with everything that forbids the run: what the runtime refuses, missing capabilities,
    datasets that do not fit the stack, the migration heads or the policy."""
    stack, problems = definition.stack, Collector()
    problems.problems += unknown_engines(stack)
    problems.raise_if_any(DefinitionError)  # nothing more can be said of such a stack
    problems.problems += [*consistency.faults(stack), *vague_volatile(stack)]
    notices = tuple(runtime.survey(stack))
    for notice in notices:
        if notice.refused:
            problems.add(notice.subject, notice.message, notice.remedy, _mark_of(stack, notice.subject))
    migrations = _migrations(stack, problems)
    allotted = {dataset.label: parts(dataset, stack) for dataset in definition.datasets}
    for dataset in definition.datasets:
        _check_fit(definition, dataset, allotted[dataset.label], migrations, problems)
    if definition.policy:
        problems.problems += too_many(definition.policy, definition.datasets)
    problems.raise_if_any(DefinitionError)
    one_shots = {m.store.migrate.service for m in migrations if m.store.migrate and m.store.migrate.service}
    early = _early(stack)
    servers, services = _starts(stack, definition, early, one_shots)
    loads = tuple(_loads(definition.datasets, allotted))
    fitness = _fitness(definition, migrations, loads)
    return Plan(
        definition=definition,
        runtime=runtime.name,
        runtime_cause=runtime_cause,
        notices=tuple(n for n in notices if not n.refused),
        overlays=tuple(_overlays(allotted)),
        servers=servers,
        migrations=tuple(migrations),
        loads=loads,
        services=services,
        calls=tuple(_calls(definition.datasets, allotted)),
        gates=tuple(_gates(stack, fitness)),
        fitness=fitness,
    )


def unknown_engines(stack: Stack) -> Iterator[Problem]:
    """A problem for every store whose engine nobody knows."""
    for store in stack.stores.values():
        if store.engine not in ENGINES.names():
            cause = f"there is no engine {store.engine}"
            yield Problem(store.name, cause, nearest(store.engine, ENGINES.names()), stack.services[store.service].mark)


def vague_volatile(stack: Stack) -> Iterator[Problem]:
    """A problem for every entry of `volatile` that names no column of a store with a schema."""
    for store in stack.stores.values():
        vague = [entry for entry in store.volatile if not all(entry.rpartition(".")[::2])]
        if vague and isinstance(ENGINES.get(store.engine), Inspects):
            cause = f"volatile: {', '.join(vague)} names no column"
            yield Problem(store.name, cause, "write TABLE.COLUMN", stack.services[store.service].mark)


def _mark_of(stack: Stack, subject: str) -> Any:
    service = stack.services.get(subject)
    return service.mark if service else None


# -- starting ---------------------------------------------------------------------------------------------------------


def _early(stack: Stack) -> set[str]:
    """Servers, and whatever they themselves depend on."""
    return closure(stack.servers, lambda name: [d.service for d in stack.services[name].depends_on if d.service in stack.services])


def _starts(stack: Stack, definition: Definition, early: set[str], migrators: set[str]) -> tuple[tuple[Start, ...], tuple[Start, ...]]:
    graph = {name: [d.service for d in s.depends_on if d.service in stack.services] for name, s in stack.services.items()}
    try:
        order = sort(graph)
    except Cycle as error:
        first = stack.services[error.path[0]]
        raise DefinitionError(first.name, f"depends_on forms a cycle: {error}", "remove one of these edges", first.mark) from None
    done = early | migrators  # nobody has to wait for these once services start
    starts = [_start(stack, definition, name, name in early, done) for name in order if name not in migrators]
    return tuple(s for s in starts if s.server), tuple(s for s in starts if not s.server)


def _start(stack: Stack, definition: Definition, name: str, is_early: bool, done: set[str]) -> Start:
    service = stack.services[name]
    image = definition.request.images.get(name) or service.image or "built image"
    waits = [d for d in service.depends_on if d.service in stack.services and (is_early or d.service not in done)]
    after = ", ".join(f"{d.service} {d.condition}" for d in waits)
    held = ", ".join(store.name for store in stack.stores_of(name))
    cause = f"holds {held}" if held else (f"after {after}" if after else "")
    return Start(name, image, cause, service, is_early, tuple(d.service for d in waits), _within(service))


def _within(service: Service) -> float:
    """How long to wait: what the stack says, else at least a minute, and as long as the healthcheck itself would allow."""
    if service.x.ready:
        return seconds(service.x.ready.within)
    check = service.healthcheck
    return max(60.0, check.start_period + check.retries * (check.interval + check.timeout)) if check and not check.disabled else 60.0


# -- migrating --------------------------------------------------------------------------------------------------------


SQL_TOOLS = frozenset({"alembic", "sql"})


def _migrations(stack: Stack, problems: Collector) -> list[Migrate]:
    result = []
    for name, store in sorted(stack.stores.items()):
        if store.migrate is None:
            continue
        engine = ENGINES.get(store.engine)
        if store.migrate.tool in SQL_TOOLS and not (isinstance(engine, Queries) and isinstance(engine, Inspects)):
            cause = f"{store.engine} cannot be migrated by {store.migrate.tool}; stack {stack.name} asks for it"
            problems.add(name, cause, "remove `migrate`, or use `command` or `service`", stack.services[store.service].mark)
            continue
        try:
            revisions = MIGRATORS.get(store.migrate.tool).revisions(store, stack)
        except DefinitionError as error:
            problems.problems += error.problems
            continue
        result.append(_migrate(store, store.migrate.tool, revisions))
    return result


def _migrate(store: Store, tool: str, revisions: tuple[Revision, ...]) -> Migrate:
    span = f"{revisions[0].id} -> {revisions[-1].id}" if len(revisions) > 1 else (revisions[0].id if revisions else "no revisions")
    count = f"{len(revisions)} revision{'s' if len(revisions) != 1 else ''}"
    return Migrate(store.name, f"{span}: {count} by {tool}", "the store starts empty", store, tool, revisions)


# -- loading ----------------------------------------------------------------------------------------------------------

AT_REST = frozenset({"table", "sql", "keys", "messages"})


def _loads(datasets: Iterable[Dataset], allotted: Mapping[str, tuple[Part, ...]]) -> Iterable[Load]:
    for dataset in datasets:
        by_store: dict[str, list[Part]] = {}
        for part in allotted[dataset.label]:
            if part.kind in AT_REST:
                by_store.setdefault(part.owner, []).append(part)
        if by_store:
            files = sum(len(found) for found in by_store.values())
            detail = f"{files} file{'s' if files != 1 else ''} into {', '.join(sorted(by_store))}"
            cause = f"{dataset.kind} data" + (", brought up to date by key" if dataset.upserts else "")
            yield Load(dataset.label, detail, cause, dataset, {store: tuple(found) for store, found in sorted(by_store.items())})


def _overlays(allotted: Mapping[str, tuple[Part, ...]]) -> Iterable[Configure]:
    found: dict[tuple[str, str], list[Part]] = {}
    for label, given in allotted.items():
        for part in given:
            if part.kind in ("environment", "files"):
                found.setdefault((part.owner, label), []).append(part)
    for (service, label), files in sorted(found.items()):
        detail = ", ".join("environment" if p.kind == "environment" else f"/{p.name.lstrip('/')}" for p in files)
        yield Configure(service, detail, label, overlay.environment(files), overlay.files(files))


def _calls(datasets: Iterable[Dataset], allotted: Mapping[str, tuple[Part, ...]]) -> Iterable[Call | Sow]:
    for dataset in datasets:
        for part in allotted[dataset.label]:
            if part.kind == "http":
                yield Call(part.owner, f"requests of {part.path.name}", dataset.label, dataset, part)
        if dataset.seed:
            yield Sow(dataset.label, " ".join(dataset.seed.command), "the dataset's own program", dataset, dataset.seed)


def _check_fit(definition: Definition, dataset: Dataset, given: tuple[Part, ...], migrations: list[Migrate], problems: Collector) -> None:
    stack = definition.stack
    histories = {m.store.name: tuple(r.id for r in m.revisions) for m in migrations}
    problems.problems += unmet(dataset, stack, histories)
    if definition.policy:
        problems.problems += refusals(definition.policy, dataset, given)
    for part in given:
        store = stack.stores.get(part.owner)
        if store is None or part.kind not in AT_REST:
            continue
        engine = ENGINES.get(store.engine)
        if not isinstance(engine, Loads) or part.kind not in engine.accepts:
            problems.add(
                str(part.path), f"{store.engine} store {store.name} does not take {part.kind} files", "see the reference, dataset folders"
            )


# -- gating -----------------------------------------------------------------------------------------------------------


def _fitness(definition: Definition, migrations: list[Migrate], loads: tuple[Load, ...]) -> Fitness:
    """Tables are added by the load stage, which knows their columns and rows."""
    gates = [(f"stack {definition.stack.name}", definition.stack.x.gates)]
    gates += [(f"dataset {load.dataset.label}", load.dataset.gates) for load in loads]
    if definition.scenario:
        gates.append((f"scenario {definition.scenario.name}", definition.scenario.gates))
    return Fitness(
        revisions={m.store.name: m.revisions for m in migrations},
        gates=tuple((who, declared) for who, declared in gates if declared.counts or declared.nulls),
        references=definition.stack.references,
        expectations=definition.scenario.expect if definition.scenario else (),
    )


def _gates(stack: Stack, fitness: Fitness) -> Iterable[Check]:
    nulls = sum(len(columns) for _, declared in fitness.gates for columns in declared.nulls.values())
    counts = sum(len(declared.counts) for _, declared in fitness.gates)
    details = {
        "ready": (f"{len(stack.services)} services", "always"),
        "drift": (f"{len(fitness.revisions)} migrated stores", "migration heads, dataset columns") if fitness.revisions else None,
        "counts": ("every loaded table" + (f", {counts} declared" if counts else ""), "holds what was loaded"),
        "nulls": (f"{nulls} columns", "declared") if nulls else None,
        "references": (f"{len(fitness.references)} cross-store keys", "declared by the stack") if fitness.references else None,
        "expect": (f"{len(fitness.expectations)} expectations", "of the scenario") if fitness.expectations else None,
    }
    for gate, said in details.items():
        if said:
            yield Check(gate, said[0], said[1], gate)
