"""Load datasets: records at rest into stores before the services start, then calls through the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from seeder import machine, process, variables
from seeder.content import Records, Table
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, SeederError
from seeder.events import Loaded, Noticed
from seeder.fitness import LoadedTable
from seeder.operation import Call, Load, Plan, Sow
from seeder.order import each
from seeder.protocols import Loads, Session, Settles
from seeder.registry import CALLERS, LOADERS
from seeder.wait import READY, Verdict, not_yet, wait_for


def at_rest(environment: Environment, plan: Plan) -> None:
    """Every dataset's records are in their stores; of a dataset with a bad record nothing stays."""
    for operation in plan.loads:
        _load(environment, operation)


def through_services(environment: Environment, plan: Plan) -> None:
    """Requests and programs of the datasets have run, outboxes are empty and consumers have caught up."""
    variables.write(environment)
    for operation in plan.calls:
        if isinstance(operation, Call):
            count = CALLERS.get("http").call(operation.part, environment)
            environment.emit(Loaded(operation.dataset.name, operation.dataset.version, operation.subject, count))
        else:
            _sow(environment, operation)
    if plan.services:
        _settle(environment)


def _load(environment: Environment, operation: Load) -> None:
    with ExitStack() as undo:
        sessions = {store: _begin(environment, operation, store, undo) for store in operation.parts}
        tables = each(sessions, lambda store: _fill(environment, operation, store, sessions[store]))
        each(sessions, lambda store: sessions[store].verify())
        for store in sorted(sessions, key=lambda store: (sessions[store].finality, store)):
            sessions[store].commit()
        undo.pop_all()
    environment.loaded += [table for of_store in tables.values() for table in of_store]


def _begin(environment: Environment, operation: Load, store: str, undo: ExitStack) -> Session:
    engine = environment.engine(store)
    if not isinstance(engine, Loads):
        raise TypeError(f"{engine.name} takes no records; the plan should have refused it")
    keys = _natural_keys(operation, store)
    session = engine.begin(environment.target(store), upsert=operation.dataset.upserts, natural_keys=keys)
    undo.callback(_take_back, environment, store, session)
    return session


def _take_back(environment: Environment, store: str, session: Session) -> None:
    """What went wrong first is what is told; that something stays is said beside it."""
    try:
        session.rollback()
    except SeederError as error:
        environment.emit(Noticed(store, f"what was loaded could not be taken back: {error.problems[0].cause}"))


def _natural_keys(operation: Load, store: str) -> Mapping[str, tuple[str, ...]]:
    prefix = f"{store}."
    return {name.removeprefix(prefix): columns for name, columns in operation.dataset.natural_keys.items() if name.startswith(prefix)}


def _fill(environment: Environment, operation: Load, store: str, session: Session) -> list[LoadedTable]:
    dataset, as_of = operation.dataset, environment.run.as_of
    records = [LOADERS.get(part.kind).read(part, as_of) for part in operation.parts[store]]
    counts = session.load(records)
    environment.emit(Loaded(dataset.name, dataset.version, store, sum(counts.values())))
    return _tables(dataset.label, store, records, counts)


def _tables(label: str, store: str, records: Sequence[Records], counts: Mapping[str, int]) -> list[LoadedTable]:
    return [LoadedTable(label, store, r.name, r.columns, counts.get(r.name, 0), r.part.path) for r in records if isinstance(r, Table)]


def _sow(environment: Environment, operation: Sow) -> None:
    done = process.run(
        operation.seed.command,
        timeout=operation.seed.within,
        cwd=environment.plan.definition.manifest.root,
        environment={**machine.environment(environment.run), **environment.variables()},
        on_line=lambda line: environment.tell("load", operation.subject, "running", line),
        remedy="see what it waits for, or give it longer in the manifest: `seed: {within: ...}`",
    )
    if done.code != 0:
        cause = f"`{operation.detail}` ended with code {done.code}"
        raise EnvironmentFailed(operation.subject, cause, "run it by hand in `seeder up`'s environment", log=done.tail())


def _settle(environment: Environment) -> None:
    """All stores must be quiet in one look: a broker that is idle while an outbox is not has more to come."""
    wait_for(
        environment.stack.name,
        lambda: _unsettled(environment),
        within=environment.stack.x.settle.within,
        remedy="look at the log of the service that publishes or consumes there, or give it longer: `x-seeder: {settle: {within: ...}}`",
    )


def _unsettled(environment: Environment) -> Verdict:
    for name, store in sorted(environment.stack.stores.items()):
        engine = environment.engine(name)
        verdict = engine.settled(environment.target(name), store) if isinstance(engine, Settles) else READY
        if verdict.state != "ready":
            return not_yet(f"{name}: {verdict.reason}")
    return READY
