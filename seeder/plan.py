"""Definition + what exists -> operations, each with its cause. Decides everything and does nothing; the stages only execute."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from seeder.definition import additions, consistency, requirements
from seeder.definition.checksums import verify
from seeder.definition.dataset import Dataset, Part
from seeder.definition.policy import refusals, too_many
from seeder.definition.request import Definition
from seeder.definition.scenario import Scenario
from seeder.definition.scope import needs
from seeder.definition.service import Service
from seeder.definition.stack import Stack
from seeder.definition.step import Step
from seeder.errors import Collector, DefinitionError, EnvironmentFailed, Problem, counted
from seeder.graph import edges, origins
from seeder.order import Cycle, closure, sort
from seeder.passed.capability import Capability
from seeder.passed.fitness import Fitness
from seeder.passed.notice import Notice
from seeder.passed.operation import EXPECT, Act, Call, Check, Configure, Load, Make, Migrate, Plan, Sow, Start
from seeder.planning import history, soundness
from seeder.planning.attach import attach, refused
from seeder.planning.soundness import Judged, Offered
from seeder.protocols import Runtime
from seeder.registry import RUNTIMES


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


def make(definition: Definition, runtime: Runtime, runtime_cause: str, now: datetime.datetime) -> Plan:
    """Decide; the ages of data count to `now`. Raises DefinitionError with everything that forbids the run: what `check` tells of
    this stack, scenario and data, what the runtime refuses, data that does not fit the migration heads or the policy."""
    stack, problems = definition.stack, Collector()
    judged = soundness.of_stack(stack)
    problems.problems += judged.problems
    notices = list(runtime.survey(stack, definition.request.images)) if judged.known else []
    unset = () if definition.request.alone else consistency.unset(stack)
    notices += [Notice(one.subject, one.cause, one.remedy) for one in (*consistency.without_engine(stack), *unset)]
    offered = Offered({})
    if definition.scenario:
        scenario, wrong = soundness.of_scenario(definition.scenario, stack)
        notices += _unasked(definition.scenario, scenario)
        definition = replace(definition, scenario=scenario)
        offered = soundness.of_generators(stack) if scenario.every else offered
        problems.problems += [*wrong, *_steps(definition, scenario, offered)]
    allotted = _allotted(definition, judged, now, problems)
    problems.problems += [problem for parts in allotted.values() for problem in soundness.beyond(runtime, stack, parts)]
    inserting = [dataset for dataset in definition.datasets if origins.inserts(dataset, allotted[dataset.label])]
    problems.problems += origins.refused(definition.scenario, inserting, offered.capabilities) if definition.scenario else ()
    problems.problems += [*soundness.refused(stack, notices), *refused(definition, offered.capabilities, allotted)]
    problems.raise_if_any(DefinitionError)
    every = tuple(_loads(definition.datasets, allotted, judged.ids))
    loads = tuple(load for load in every if not load.at)
    halts, migrations = _migrations(stack, judged, every)
    one_shots = {m.store.migrate.service for m in migrations if m.store.migrate and m.store.migrate.service}
    servers, services = _starts(stack, _early(stack), one_shots)
    fitness = _fitness(definition, migrations, loads)
    gates, acts = tuple(_gates(stack, fitness)), tuple(_makes("act", Act, definition.scenario, offered))
    expected = tuple(check for check in gates if acts and check.gate == EXPECT)
    made = Plan(
        definition=definition,
        runtime=runtime.name,
        runtime_cause=runtime_cause,
        notices=tuple(notices),
        additions=(*_additions(allotted), *_uncached(definition.scenario, stack)),
        servers=servers,
        halts=halts,
        migrations=migrations,
        loads=loads,
        services=services,
        calls=(*_calls(definition.datasets, allotted), *_makes("steps", Make, definition.scenario, offered)),
        gates=tuple(check for check in gates if check not in expected),
        acts=acts,
        expected=expected,
        fitness=fitness,
    )
    if stack.shared:
        return attach(made)
    return at_rest(made) if definition.request.alone else made


def through_services(definition: Definition) -> bool:
    """Whether its state comes about through services, too: by steps, by requests and programs of its data."""
    acts = any(one.every for one in definition.scenario.closure()) if definition.scenario else False
    given = {one.label: soundness.of_dataset(one, definition.stack)[0] for one in definition.datasets}
    return acts or any(True for _ in _calls(definition.datasets, given))


def at_rest(plan: Plan) -> Plan:
    """What of it comes before services: servers, migrations, data at rest, and the gates that ask for no more."""
    gates = tuple(check for check in plan.gates if check.gate not in ("ready", EXPECT))
    return replace(plan, services=(), calls=(), gates=gates, acts=(), expected=())


# -- starting ---------------------------------------------------------------------------------------------------------


def _early(stack: Stack) -> set[str]:
    """Servers, and whatever they themselves depend on."""
    return closure(stack.servers, lambda name: [d.service for d in stack.services[name].depends_on if d.service in stack.services])


def _starts(stack: Stack, early: set[str], migrators: set[str]) -> tuple[tuple[Start, ...], tuple[Start, ...]]:
    try:
        order = sort({name: [d.service for d in s.depends_on if d.service in stack.services] for name, s in stack.services.items()})
    except Cycle as error:
        first = stack.services[error.path[0]]
        raise DefinitionError(first.name, f"depends_on forms a cycle: {error}", "remove one of these edges", first.mark) from None
    done = early | migrators  # nobody has to wait for these once services start
    starts = [_start(stack, name, name in early, done) for name in order if name not in migrators]
    return tuple(s for s in starts if s.server), tuple(s for s in starts if not s.server)


def _start(stack: Stack, name: str, is_early: bool, done: set[str]) -> Start:
    service = stack.services[name]
    waits = [d for d in service.depends_on if d.service in stack.services and (is_early or d.service not in done)]
    after = ", ".join(f"{d.service} {d.condition}" for d in waits)
    held = ", ".join(store.name for store in stack.stores_of(name))
    cause = f"holds {held}" if held else (f"after {after}" if after else "")
    return Start(name, service.image or "built image", cause, service, is_early, tuple(d.service for d in waits), *_within(service))


USUAL = 60.0  # seconds that a service has to become ready


def _within(service: Service) -> tuple[float, str]:
    """How long to wait, and why so long: what the stack says, else at least a minute, and as long as the healthcheck would allow."""
    if service.x.ready:
        return service.x.ready.within, "`x-seeder.ready.within`"
    check = service.healthcheck
    if check is None or check.disabled:
        return USUAL, "the usual one"
    allowed = check.start_period + check.retries * (check.interval + check.timeout)
    if allowed <= USUAL:
        return USUAL, "the usual one"
    begins = f"start_period {check.start_period:g} s, then " if check.start_period else ""
    return allowed, f"what its healthcheck allows: {begins}{check.retries} x (interval {check.interval:g} s + timeout {check.timeout:g} s)"


# -- migrating --------------------------------------------------------------------------------------------------------


def _migrations(stack: Stack, judged: Judged, loads: Sequence[Load]) -> tuple[tuple[Migrate | Load, ...], tuple[Migrate, ...]]:
    """What is done on the way to the heads of all histories, and the last part of each way."""
    halts: list[Migrate | Load] = []
    heads: list[Migrate] = []
    for name, revisions in judged.histories.items():
        here: dict[str, list[Load]] = {}
        for load in loads:
            if name in load.parts and load.at:
                here.setdefault(load.at, []).append(load)
        *on_the_way, last = history.halting(history.to_head(stack.stores[name], revisions), here)
        halts += on_the_way
        heads += [last] if isinstance(last, Migrate) else []
    return tuple(halts), tuple(heads)


# -- loading ----------------------------------------------------------------------------------------------------------

AT_REST = origins.RECORDS | {"mappings"}  # kinds of parts that go in before services start


def _loads(datasets: Iterable[Dataset], allotted: Mapping[str, tuple[Part, ...]], histories: Mapping[str, Sequence[str]]) -> Iterable[Load]:
    """Per dataset what goes in at the heads, in one; and by store what goes in before its head."""
    for dataset in datasets:
        by_store: dict[str, list[Part]] = {}
        for part in allotted[dataset.label]:
            if part.kind in AT_REST:
                by_store.setdefault(part.owner, []).append(part)
        at = requirements.loaded_at(dataset, histories)
        for store in sorted(set(by_store) & set(at)):
            yield _load(dataset, {store: by_store.pop(store)}, at[store])
        if by_store:
            yield _load(dataset, by_store)


def _load(dataset: Dataset, by_store: Mapping[str, Sequence[Part]], at: str = "") -> Load:
    files = sum(len(found) for found in by_store.values())
    detail = f"{counted(files, 'file')} into {', '.join(sorted(by_store))}" + (f" at {at}" if at else "")
    cause = f"{dataset.kind} data" + (", brought up to date by key" if dataset.upserts else "")
    return Load(dataset.label, detail, cause, dataset, {store: tuple(found) for store, found in sorted(by_store.items())}, at)


def _additions(allotted: Mapping[str, tuple[Part, ...]]) -> Iterable[Configure]:
    found: dict[tuple[str, str], list[Part]] = {}
    for label, given in allotted.items():
        for part in given:
            if part.kind in ("environment", "files"):
                found.setdefault((part.owner, label), []).append(part)
    for (service, label), files in sorted(found.items()):
        detail = ", ".join("environment" if p.kind == "environment" else f"/{p.name.lstrip('/')}" for p in files)
        yield Configure(service, detail, label, additions.environment(files), additions.files(files))


def _uncached(scenario: Scenario | None, stack: Stack) -> Iterable[Configure]:
    """Caches that the scenario, or one that it uses, switches off. Services that are absent have none."""
    for service in sorted({name for one in (scenario.closure() if scenario else ()) for name in one.disabled} & stack.services.keys()):
        variables = stack.services[service].x.cache.disable
        yield Configure(service, f"{', '.join(sorted(variables))}: its cache is off", "asked for by the scenario", variables, {})


def _calls(datasets: Iterable[Dataset], allotted: Mapping[str, tuple[Part, ...]]) -> Iterable[Call | Sow]:
    for dataset in datasets:
        for part in allotted[dataset.label]:
            if part.kind == "http":
                yield Call(part.owner, f"requests of {part.path.name}", dataset.label, dataset, part)
        if dataset.seed:
            yield Sow(dataset.label, " ".join(dataset.seed.command), "the dataset's own program", dataset, dataset.seed)


def _steps(definition: Definition, scenario: Scenario, offered: Offered) -> Iterable[Problem]:
    """What is wrong with the scenario's steps, and with those of the scenarios that it uses; without services nobody waits for one."""
    stack = definition.stack
    yield from offered.problems
    for one in scenario.closure():
        yield from soundness.of_steps(one, stack, offered)
        yield from [] if definition.request.alone else edges.left_out(one, stack, offered.capabilities)


def _makes(key: str, kind: type[Make], scenario: Scenario | None, offered: Offered) -> Iterable[Make]:
    """The steps in an order in which they may be done, those of scenarios that are used first. Those of one domain are done one after
    another: what a service numbers has the same number each time, and the same whether its scenario is used or asked for itself."""
    steps = scenario.spread().lists[key] if scenario else ()
    by_name, known = {step.name: step for step in steps}, offered.capabilities
    before = {step.name: sorted(needs(step) & by_name.keys()) for step in steps}
    ranks = {scope: rank for rank, scope in enumerate(dict.fromkeys(id(step.scope) for step in steps))}
    latest: dict[str, str] = {}
    for name in sort(before, lambda name: (ranks[id(by_name[name].scope)], name)):
        step = by_name[name]
        domain = step.use.partition(".")[0] or step.store  # a broker numbers what is published to it
        after = {*before[name], *([latest[domain]] if domain in latest else [])}
        if domain:
            latest[domain] = name
        cause = f"after {', '.join(before[name])}" if before[name] else ""
        yield kind(name, _asked(step, known.get(step.use)), cause, step, tuple(sorted(after)), known.get(step.use))


def _asked(step: Step, capability: Capability | None) -> str:
    many = f", for each of {step.each}" if step.each is not None else ""
    many += f", {step.count} times" if step.count is not None else ""
    return f"{step.use} of {capability.owner}{many}" if capability else step.does


def _allotted(definition: Definition, judged: Judged, now: datetime.datetime, problems: Collector) -> dict[str, tuple[Part, ...]]:
    """Dataset -> what its files are on this stack."""
    stack, policy, result = definition.stack, definition.policy, dict[str, tuple[Part, ...]]()
    for dataset in definition.datasets:
        result[dataset.label], wrong = soundness.of_dataset(dataset, stack)
        problems.problems += [*verify(dataset), *wrong, *soundness.of_requirements(dataset, stack, judged)]
        if policy:
            problems.problems += refusals(policy, dataset, result[dataset.label], now=now)
    if policy:
        problems.problems += too_many(policy, definition.datasets)
    return result


# -- gating -----------------------------------------------------------------------------------------------------------


def _fitness(definition: Definition, migrations: Sequence[Migrate], loads: tuple[Load, ...]) -> Fitness:
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


def _unasked(written: Scenario, settled: Scenario) -> Iterable[Notice]:
    """What of the scenario this run does not ask."""
    left = len(written.expect) - len(settled.expect)
    if left:
        yield Notice(written.name, f"leaves out {counted(left, 'expectation')} of absent services")


def _gates(stack: Stack, fitness: Fitness) -> Iterable[Check]:
    nulls = sum(len(columns) for _, declared in fitness.gates for columns in declared.nulls.values())
    counts = sum(len(declared.counts) for _, declared in fitness.gates)
    details = {
        "ready": (counted(len(stack.services), "service"), "always"),
        "drift": (counted(len(fitness.revisions), "migrated store"), "heads, tables, dataset columns") if fitness.revisions else None,
        "counts": ("every loaded table" + (f", {counts} declared" if counts else ""), "at least the rows that were loaded", True),
        "nulls": (counted(nulls, "column"), "declared", True) if nulls else None,
        "references": (counted(len(fitness.references), "cross-store key"), "declared by the stack", True) if fitness.references else None,
        EXPECT: (counted(len(fitness.expectations), "expectation"), "of the scenario") if fitness.expectations else None,
    }
    for gate, said in details.items():
        if said:
            detail, cause, *rows = said
            yield Check(gate, detail, cause, gate, *rows)
