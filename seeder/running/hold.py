"""Hold services still while their stores change below them, and give them afterwards what they need to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from seeder.environment import Environment
from seeder.errors import EnvironmentFailed, in_words
from seeder.machine.lock import locked
from seeder.order import each
from seeder.passed.operation import Plan, Start
from seeder.protocols import Holds
from seeder.running import start

OTHER_SECONDS = 120.0  # how long another process may take to change the stores that this one wants to change

T = TypeVar("T")


@contextmanager
def alone(environment: Environment) -> Iterator[None]:
    """Nobody else changes the environment's stores meanwhile: what one releases the other still holds."""
    lock, busy = environment.run.folder / "reset.lock", "another process is at work on its stores"
    with locked(lock, environment.run.id, busy, within=OTHER_SECONDS, remedy="try again when that is done"):
        yield


@contextmanager
def still(environment: Environment, services: Iterable[str]) -> Iterator[None]:
    """Services are still inside and go on afterwards, whatever happens; so do those that were held when another could not be."""
    deployment, names = environment.deployment, list(services)
    if not isinstance(deployment, Holds):
        raise EnvironmentFailed(environment.run.runtime, "this runtime cannot hold services still")
    try:
        every(names, deployment.hold)
        yield
    finally:
        every(names, deployment.release)


def every(names: Iterable[str], work: Callable[[str], T]) -> dict[str, T]:
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


def refresh(environment: Environment, plan: Plan, running: Iterable[Start], lost: Mapping[str, str]) -> None:
    """Services with state of their own start anew or are told; so do those whose connections did not outlive the change. `lost`: store
    -> why its clients cannot go on; nothing where they can."""
    anew = [one for one in running if _restarts(environment, one, lost)]
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
        raise EnvironmentFailed(service, f"did not answer {request}: {in_words(error)}", remedy) from error
    if answer.is_error:
        raise EnvironmentFailed(service, f"{request} answered {answer.status_code} {answer.reason_phrase}", remedy)


def _restarts(environment: Environment, one: Start, lost: Mapping[str, str]) -> bool:
    """It says so, or a store that it uses lost its connections and neither says that this is no matter."""
    asked = environment.stack.services[one.subject].x.reset
    if asked and asked.restart:
        return True
    if asked and asked.reconnects:
        return False
    broken = {environment.stack.stores[store].service for store, why in lost.items() if why}
    used = {link.server for link in environment.stack.links if link.client == one.subject}
    return bool({server for server in broken & used if not _forgives(environment, server)})


def _forgives(environment: Environment, server: str) -> bool:
    asked = environment.stack.services[server].x.reset
    return bool(asked and asked.reconnects)
