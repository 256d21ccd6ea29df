"""Take an environment back to the state in which it was handed over: clients are held, every store is rewound, clients go on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from seeder import start
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Noticed, WasReset
from seeder.operation import Plan, Start
from seeder.order import along, each
from seeder.protocols import Holds, Rewinds
from seeder.rewound import Rewound, Way


def at_rest(environment: Environment, plan: Plan) -> None:
    """Where nothing acts through services, stores are marked before services connect to them."""
    if environment.marks and not plan.calls:
        _mark(environment)


def after_services(environment: Environment, plan: Plan) -> None:
    """Else once everything has acted; services are stopped meanwhile and start anew."""
    if environment.marks and plan.calls:
        running = start.running(environment, plan)
        start.stop(environment, running)
        _mark(environment)
        start.in_order(environment, plan, running)


def reset(environment: Environment, plan: Plan, way: Way = "in place") -> dict[str, Rewound]:
    """Store -> how it was taken back. Raises EnvironmentFailed when a store has no mark, or cannot be taken back."""
    begun, running = time.monotonic(), start.running(environment, plan)
    held = [one.subject for one in running]
    with_hold = environment.deployment
    if not isinstance(with_hold, Holds):
        raise EnvironmentFailed(environment.run.runtime, "this runtime cannot hold services while stores are taken back")
    along({name: [] for name in held}, with_hold.hold)
    try:
        stores = list(environment.stack.stores)
        found = each(stores, lambda store: environment.rewinder(store).rewind(way))
    finally:
        along({name: [] for name in held}, with_hold.release)
    _refresh(environment, plan, running, found)
    changed = {store: one.changed for store, one in found.items() if one.way != "untouched"}
    environment.emit(WasReset(sorted(changed), round(time.monotonic() - begun, 4)))
    for store, one in sorted(found.items()):
        for note in one.notes:
            environment.emit(Noticed(store, note))
    return found


def _mark(environment: Environment) -> None:
    fit = [name for name in environment.stack.stores if isinstance(environment.engine(name), Rewinds)]
    for name in sorted(set(environment.stack.stores) - set(fit)):
        engine = environment.stack.stores[name].engine
        environment.emit(Noticed(name, f"{engine} cannot be taken back to a marked state, so this environment cannot be reset"))
    each(fit, lambda store: environment.rewinder(store).mark())


def _refresh(environment: Environment, plan: Plan, running: Iterable[Start], found: Mapping[str, Rewound]) -> None:
    """Services with state of their own start anew or are told; so do those whose connections did not outlive it."""
    anew = [one for one in running if _restarts(environment, one, found)]
    if anew:
        start.stop(environment, anew)
        start.in_order(environment, plan, anew)
    for one in running:
        asked = environment.stack.services[one.subject].x.reset
        if asked and asked.http:
            verb, _, path = asked.http.partition(" ")
            answer = environment.http(one.subject).request(verb, path)
            if answer.is_error:
                cause = f"{asked.http} answered {answer.status_code} {answer.reason_phrase}"
                raise EnvironmentFailed(one.subject, cause, "correct `x-seeder: {reset: {http: ...}}`, or what it calls")


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
