"""What a run would be refused for, as far as files and what seeder can do tell: asked by `check` of everything, by a plan of its part."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace

from seeder.definition import additions, consistency
from seeder.definition.dataset import Dataset, Part, PartKind
from seeder.definition.dataset_parts import parts
from seeder.definition.extension import WAYS
from seeder.definition.requirements import loaded_at, misplaced, unmet
from seeder.definition.scenario import Scenario
from seeder.definition.service import Service
from seeder.definition.settling import settle
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, Problem, nearest
from seeder.frozen import frozen
from seeder.graph import edges
from seeder.passed.capability import Capability
from seeder.passed.fitness import Revision
from seeder.passed.notice import Notice
from seeder.protocols import Engine, Inspects, Limits, Loads, Publishes, Queries, Runtime
from seeder.registry import CALLERS, ENGINES, LOADERS, MIGRATORS, can_halt, generators

SQL_TOOLS = frozenset({"alembic", "sql"})


@frozen
class Judged:
    """Of a stack: the revisions of every store that is migrated, oldest first, and what is wrong. `known`: all its engines are."""

    histories: Mapping[str, tuple[Revision, ...]]
    problems: list[Problem] = field(default_factory=list)
    known: bool = True

    @property
    def ids(self) -> dict[str, tuple[str, ...]]:
        """The histories as ids alone."""
        return {store: tuple(revision.id for revision in revisions) for store, revisions in self.histories.items()}


def accepted(stack: Stack) -> dict[str, frozenset[PartKind]]:
    """What those of the stack's engines that are known take from a dataset."""
    named = {store.engine for stores in (stack.stores, stack.unasked) for store in stores.values()}
    engines = {name: ENGINES.get(name) for name in named & set(ENGINES.names())}
    return {name: engine.accepts if isinstance(engine, Loads) else frozenset() for name, engine in engines.items()}


def migrates_sql(engine: Engine) -> bool:
    """Whether SQL migrates its stores."""
    return isinstance(engine, Queries) and isinstance(engine, Inspects)


def of_stack(stack: Stack) -> Judged:
    """Its gates, exports and placeholders, its engines, and its migrations."""
    unknown = list(_unknown_engines(stack))
    problems = [*consistency.problems(stack), *unknown, *_vague_volatile(stack)]
    histories: dict[str, tuple[Revision, ...]] = {}
    for name, store in sorted(stack.stores.items()):
        if store.migrate and store.engine in ENGINES.names():
            try:
                histories[name] = _revisions(store, stack)
            except DefinitionError as error:
                problems += _at_home(error, store, stack.services[store.service])
    return Judged(histories, problems, known=not unknown)


def _at_home(error: DefinitionError, store: Store, service: Service) -> Iterator[Problem]:
    """What a migrator says of the service is said of its `migrate`, which may stand in another file."""
    way = ("databases", store.database, "migrate") if store.database else ("migrate",)
    place = service.place(*way, "preset" if store.migrate.preset else store.migrate.way) if store.migrate else service.mark
    yield from (replace(problem, mark=place) if problem.mark == service.mark else problem for problem in error.problems)


def refused(stack: Stack, notices: Iterable[Notice]) -> Iterator[Problem]:
    """What a runtime will not run."""
    for notice in notices:
        if notice.refused:
            service = stack.services.get(notice.subject)
            yield Problem(notice.subject, notice.message, notice.remedy, notice.mark or (service.mark if service else None))


def beyond(runtime: Runtime, stack: Stack, parts: Iterable[Part]) -> Iterable[Problem]:
    """What of a dataset's files the runtime's servers do not know."""
    return runtime.beyond(stack, parts) if isinstance(runtime, Limits) else ()


def of_dataset(dataset: Dataset, stack: Stack) -> tuple[tuple[Part, ...], list[Problem]]:
    """What each of its files is on this stack, and what is wrong with it there. Its checksums are no stack's: `checksums.verify`."""
    problems = list(_tables(dataset, stack))
    found: tuple[Part, ...] = ()
    try:
        found = parts(dataset, stack, accepted(stack))
        additions.environment(found)
    except DefinitionError as error:
        problems += error.problems
    return found, problems


def of_requirements(dataset: Dataset, stack: Stack, judged: Judged) -> Iterator[Problem]:
    """What the dataset asks of the stack's version and migrations and does not find."""
    yield from unmet(dataset, stack, judged.ids)
    yield from misplaced(dataset, stack, judged.ids)
    for store in loaded_at(dataset, judged.ids):
        migrate = stack.stores[store].migrate
        if migrate and not can_halt(migrate.tool):
            at = next(given for given in dataset.loads_at if given.subject == store)
            cause = f"`{migrate.tool}` goes to the head at once: it cannot halt at {at.wanted}"
            remedy = "remove the entry, or let `alembic` or `sql` migrate the store"
            yield Problem(f"{dataset.label} loads_at {store} {at.wanted}", cause, remedy, at.mark)


def of_file(part: Part, as_of: datetime.datetime) -> list[Problem]:
    """What is wrong in one file of a dataset, read to its end. Whether its rows suit their table is the database's to judge."""
    try:
        if part.kind == "environment":
            additions.environment([part])
        elif part.kind in CALLERS.names():
            CALLERS.get(part.kind).read(part, as_of)
        elif part.kind in LOADERS.names():
            LOADERS.get(part.kind).read(part, as_of)
    except DefinitionError as error:
        return list(error.problems)
    return []


def of_scenario(scenario: Scenario, stack: Stack) -> tuple[Scenario, list[Problem]]:
    """The scenario with the store of each expectation known, and what is wrong with what it expects of the stack."""
    problems = []
    for store, table in consistency.tables_of(scenario.gates):
        if not consistency.has_store(stack, store):
            cause = f"gates: stack {stack.name} has no store {store} ({table})"
            problems.append(Problem(scenario.name, cause, nearest(store, sorted(stack.stores)), scenario.mark))
    problems += _cached(scenario, stack)
    try:
        scenario = settle(scenario, stack, accepted(stack))
    except DefinitionError as error:
        problems += error.problems
    return scenario, problems


def _cached(scenario: Scenario, stack: Stack) -> Iterator[Problem]:
    """Caches that nobody can switch off."""
    for name in scenario.disabled:
        mark = scenario.place("caches", name)
        if name in stack.services:
            if not stack.services[name].x.cache.disable:
                cause = f"nobody says how the cache of {name} is switched off"
                yield Problem(f"caches.{name}", cause, "x-seeder: {cache: {disable: {VARIABLE: value}}} of the service", mark)
        elif name not in stack.absent:
            yield Problem(f"caches.{name}", f"stack {stack.name} has no service {name}", nearest(name, sorted(stack.services)), mark)


@frozen
class Offered:
    """What can be asked for in scenarios of a stack, and what is wrong with it: then nobody knows all of it."""

    capabilities: Mapping[str, Capability]
    problems: tuple[Problem, ...] = ()


def of_generators(stack: Stack) -> Offered:
    try:
        return Offered({name: one.capability for name, one in generators(stack).items()})
    except DefinitionError as error:
        return Offered({}, error.problems)


def of_steps(scenario: Scenario, stack: Stack, offered: Offered) -> list[Problem]:
    """What is wrong with its steps; nothing can be told as long as generators are broken."""
    if offered.problems or not scenario.every:
        return []
    try:
        return [*edges.problems(scenario, stack, offered.capabilities), *_deaf(scenario, stack)]
    except DefinitionError as error:
        return list(error.problems)


def _deaf(scenario: Scenario, stack: Stack) -> Iterator[Problem]:
    """Steps that publish to stores whose engine holds messages and takes none from clients."""
    for key, step in scenario.keyed:
        engine = stack.stores[step.store].engine if step.store in stack.stores else ""
        if engine in ENGINES.names() and not isinstance(ENGINES.get(engine), Publishes):
            yield Problem(f"{key}.{step.name}", f"{engine} takes no messages from clients", "publish to another store", step.place("store"))


def _unknown_engines(stack: Stack) -> Iterator[Problem]:
    for store in stack.stores.values():
        if store.engine not in ENGINES.names():
            cause = f"there is no engine {store.engine}"
            yield Problem(store.name, cause, nearest(store.engine, ENGINES.names()), stack.services[store.service].place("store"))


def _vague_volatile(stack: Stack) -> Iterator[Problem]:
    """A problem for every entry of `volatile` that names no column of a store with a schema."""
    for store in stack.stores.values():
        vague = [entry for entry in store.volatile if not all(entry.rpartition(".")[::2])]
        if vague and store.engine in ENGINES.names() and isinstance(ENGINES.get(store.engine), Inspects):
            cause = f"volatile: {', '.join(vague)} names no column"
            way = ("databases", store.database, "volatile") if store.database else ("volatile",)
            yield Problem(store.name, cause, "write TABLE.COLUMN", stack.services[store.service].place(*way))


def _revisions(store: Store, stack: Stack) -> tuple[Revision, ...]:
    migrate, mark, engine = store.migrate, stack.services[store.service].mark, ENGINES.get(store.engine)
    if migrate is None:
        return ()
    if migrate.preset is not None and migrate.preset not in (offered := sorted(set(MIGRATORS.names()) - set(WAYS))):
        raise DefinitionError(f"{store.name}: preset", f"there is no preset {migrate.preset}", nearest(migrate.preset, offered), mark)
    if (migrate.preset or migrate.tool in SQL_TOOLS) and not migrates_sql(engine):
        cause = f"{store.engine} cannot be migrated by {migrate.tool}; stack {stack.name} asks for it"
        raise DefinitionError(store.name, cause, "remove `migrate`, or use `command` or `service`", mark)
    if migrate.as_ and migrate.as_ not in {*stack.services, *stack.absent}:
        cause = f"migrate.as: there is no service {migrate.as_}"
        raise DefinitionError(store.name, cause, nearest(migrate.as_, sorted(stack.services)), mark)
    return tuple(MIGRATORS.get(migrate.tool).revisions(store, stack))


def _tables(dataset: Dataset, stack: Stack) -> Iterator[Problem]:
    """Natural keys and gates name `store.table`."""
    named = {"natural_keys": dataset.natural_keys, "gates.counts": dataset.gates.counts, "gates.nulls": dataset.gates.nulls}
    for key, tables in named.items():
        for table in tables:
            store = table.split(".")[0]
            if not consistency.has_store(stack, store):
                cause = f"{key}: stack {stack.name} has no store {store} ({table})"
                yield Problem(dataset.label, cause, nearest(store, sorted(stack.stores)), dataset.mark)
