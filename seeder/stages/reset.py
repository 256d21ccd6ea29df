"""Take an environment back to the state in which it was handed over: clients are held, every store is rewound, clients go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from seeder import start
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Noticed, WasReset
from seeder.operation import Plan, Start
from seeder.order import each
from seeder.protocols import Holds, Rewinds
from seeder.rewound import NO_MARK, Rewound, Way
from seeder.wait import READY, Verdict, not_yet, wait_for

MARKED = "marked"  # the file of a run's folder that is there when all of its stores are marked
OTHER_SECONDS = 120.0  # how long another reset of the same environment may take

T = TypeVar("T")


def at_rest(environment: Environment, plan: Plan) -> None:
    """Where nothing acts through services, stores that have to be alone for it are marked before services connect to them."""
    if environment.marks and not plan.calls:
        _mark(environment, [store for store, alone in _fit(environment).items() if alone])


def after_services(environment: Environment, plan: Plan) -> None:
    """The others are marked as services left them, which are held meanwhile. Where something acted through services all stores are:
    services are stopped then, and start anew."""
    if not environment.marks:
        return
    running, fit = start.running(environment, plan), _fit(environment)
    if plan.calls:
        start.stop(environment, running)
        _mark(environment, fit)
        start.in_order(environment, plan, running)
    else:
        with _held(environment, [one.subject for one in running]):
            _mark(environment, [store for store, alone in fit.items() if not alone])
    for name in sorted(set(environment.stack.stores) - set(fit)):
        engine = environment.stack.stores[name].engine
        environment.emit(Noticed(name, f"{engine} cannot be taken back to a marked state, so this environment cannot be reset"))
    (environment.run.folder / MARKED).touch(mode=0o600)


def reset(environment: Environment, plan: Plan, way: Way = "in place") -> dict[str, Rewound]:
    """Store -> how it was taken back. Raises EnvironmentFailed when a store has no mark, before anything is touched, or cannot be
    taken back."""
    _refuse(environment)
    begun = time.monotonic()
    with _alone(environment):
        running = start.running(environment, plan)
        with _held(environment, [one.subject for one in running]):
            found = _every(environment.stack.stores, lambda store: environment.rewinder(store).rewind(way))
        _refresh(environment, plan, running, found)
    changed = {store: one.changed for store, one in found.items() if one.way != "untouched"}
    environment.emit(WasReset(sorted(changed), round(time.monotonic() - begun, 4)))
    for store, one in sorted(found.items()):
        for note in one.notes:
            environment.emit(Noticed(store, note))
    return found


def _fit(environment: Environment) -> dict[str, bool]:
    """Stores that can be taken back -> whether nobody may be connected while they are marked."""
    engines = {name: environment.engine(name) for name in environment.stack.stores}
    return {name: engine.marks_alone for name, engine in engines.items() if isinstance(engine, Rewinds)}


def _mark(environment: Environment, stores: Iterable[str]) -> None:
    each(stores, lambda store: environment.rewinder(store).mark())


def _refuse(environment: Environment) -> None:
    """What can be known to fail is told while clients still go on."""
    if not (environment.run.folder / MARKED).exists():
        cause = "its stores were not marked when it came up, so there is no state to take them back to"
        raise EnvironmentFailed(environment.run.id, cause, NO_MARK)
    for store in environment.stack.stores:
        engine = environment.engine(store)
        if not isinstance(engine, Rewinds):
            raise EnvironmentFailed(store, f"{engine.name} cannot be taken back to a marked state", "start a new environment")


@contextmanager
def _alone(environment: Environment) -> Iterator[None]:
    """Nobody else takes the environment back meanwhile: what one releases the other still holds."""
    import filelock

    lock = filelock.FileLock(environment.run.folder / "reset.lock", mode=0o600)

    def look() -> Verdict:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return not_yet("it is just being taken back by another process")
        return READY

    wait_for(environment.run.id, look, within=OTHER_SECONDS, first=0.01, remedy="try again when that is done")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _held(environment: Environment, services: Iterable[str]) -> Iterator[None]:
    """Services are still inside and go on afterwards, whatever happens; so do those that were held when another could not be."""
    deployment, names = environment.deployment, list(services)
    if not isinstance(deployment, Holds):
        raise EnvironmentFailed(environment.run.runtime, "this runtime cannot hold services while stores are taken back")
    try:
        _every(names, deployment.hold)
        yield
    finally:
        _every(names, deployment.release)


def _every(names: Iterable[str], work: Callable[[str], T]) -> dict[str, T]:
    """As `each`, but an error is raised only when all are done: nothing of the work goes on behind what follows."""
    wrong: list[Exception] = []

    def attempt(name: str) -> list[T]:
        try:
            return [work(name)]
        except Exception as error:  # noqa: BLE001  (raised below)
            wrong.append(error)
            return []

    found = each(names, attempt)
    if wrong:
        raise wrong[0]
    return {name: one for name, (one,) in found.items()}


def _refresh(environment: Environment, plan: Plan, running: Iterable[Start], found: Mapping[str, Rewound]) -> None:
    """Services with state of their own start anew or are told; so do those whose connections did not outlive it."""
    anew = [one for one in running if _restarts(environment, one, found)]
    if anew:
        start.stop(environment, anew)
        start.in_order(environment, plan, anew)
    for one in running:
        asked = environment.stack.services[one.subject].x.reset
        if asked and asked.http:
            _tell(environment, one.subject, asked.http)


def _tell(environment: Environment, service: str, request: str) -> None:
    import httpx

    verb, _, path = request.partition(" ")
    remedy = f"see its log, and correct what it calls or `x-seeder: {{reset: {{http: ...}}}}`: seeder logs {service}"
    try:
        answer = environment.http(service).request(verb, path)
    except httpx.HTTPError as error:
        raise EnvironmentFailed(service, f"did not answer {request}: {str(error) or type(error).__name__}", remedy) from error
    if answer.is_error:
        raise EnvironmentFailed(service, f"{request} answered {answer.status_code} {answer.reason_phrase}", remedy)


def _restarts(environment: Environment, one: Start, found: Mapping[str, Rewound]) -> bool:
    """It says so, or a store that it uses lost its connections and neither says that this is no matter."""
    asked = environment.stack.services[one.subject].x.reset
    if asked and asked.restart:
        return True
    if asked and asked.reconnects:
        return False
    lost = {environment.stack.stores[store].service for store, rewound in found.items() if rewound.restart}
    used = {link.server for link in environment.stack.links if link.client == one.subject}
    return bool({server for server in lost & used if not _forgives(environment, server)})


def _forgives(environment: Environment, server: str) -> bool:
    asked = environment.stack.services[server].x.reset
    return bool(asked and asked.reconnects)
