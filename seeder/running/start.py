"""Start one service and wait until it is as ready as the stack asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from seeder.definition.service import Condition
from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.order import along
from seeder.passed.operation import Plan, Start
from seeder.protocols import Initialises, Saves, Stops
from seeder.wait import READY, Verdict, not_yet, wait_for


def in_order(environment: Environment, plan: Plan, starts: Iterable[Start]) -> None:
    """Each as soon as what it waits for is there."""
    by_name = {start.subject: start for start in starts}
    graph = {name: [other for other in start.after if other in by_name] for name, start in by_name.items()}
    along(graph, lambda name: one(environment, plan, by_name[name]))


def one(environment: Environment, plan: Plan, start: Start) -> None:
    """A server answers, holds its databases and stands at its layer, a service is healthy, a one-shot has completed. Raises
    EnvironmentFailed."""
    environment.tell("start", start.subject, "starting", start.detail)
    seconds = again(environment, plan, start)
    _initialise(environment, start.subject)
    _take_up(environment, plan, start.subject)
    environment.tell("start", start.subject, "ready", "", round(seconds, 3))


def again(environment: Environment, plan: Plan, start: Start) -> float:
    """The same for a service that was stopped and has what it needs; the seconds that it took."""
    name = start.subject
    environment.deployment.start(name)
    whole = f"see what it says; its whole log is in the evidence, logs/{name}.log"
    with environment.heard(name):
        return wait_for(
            name,
            _look(environment, plan, name),
            within=start.within,
            changed=lambda reason: environment.tell("start", name, "waiting", reason),
            if_never=whole,
            remedy=f"{whole}\n       the limit of {start.within:g} s is {start.limit}; `x-seeder: {{ready: {{within: ...}}}}` sets another",
        )


def running(environment: Environment, plan: Plan) -> list[Start]:
    """Services that are at work: neither have they done it, nor have they died."""
    return [one for one in plan.services if environment.look(one.subject, "completed").state == "not yet"]


def stopping(environment: Environment) -> Stops:
    """The deployment, as far as it can stop what it started. Raises EnvironmentFailed when it cannot."""
    if not isinstance(environment.deployment, Stops):
        raise EnvironmentFailed(environment.run.runtime, "this runtime cannot stop what it started and go on with it", "use --no-cache")
    return environment.deployment


def stop(environment: Environment, starts: Iterable[Start]) -> None:
    """All at once; `in_order` goes on with them."""
    along({one.subject: [] for one in starts}, stopping(environment).stop)


def _take_up(environment: Environment, plan: Plan, server: str) -> None:
    """Bring a server that has just started to the state of its layer, where its runtime did not start it there."""
    begin = plan.begins.get(server)
    if begin is None or plan.chains[server].physical:
        return
    for store in environment.stack.stores_of(server):
        engine = environment.engine(store.name)
        if not isinstance(engine, Saves):
            raise EnvironmentFailed(store.name, f"{engine.name} cannot take up what was saved", "use --no-cache")
        engine.restore(environment.target(store.name), Path(begin.layer.place) / store.name)


def _look(environment: Environment, plan: Plan, name: str) -> Callable[[], Verdict]:
    if environment.stack.stores_of(name):
        return lambda: _server_verdict(environment, name)
    condition = _wanted(plan, name)
    return lambda: _service_verdict(environment, name, condition)


def _wanted(plan: Plan, name: str) -> Condition:
    """The strongest condition that a dependent waits for; a service that nobody waits for is to be healthy."""
    asked = {d.condition for s in plan.stack.services.values() for d in s.depends_on if d.service == name}
    return "completed" if "completed" in asked else "healthy"


def _service_verdict(environment: Environment, name: str, condition: Condition) -> Verdict:
    verdict = environment.deployment.look(name, condition)
    if verdict.state == "never" and condition == "healthy" and _has_completed(environment, name):
        return READY  # a one-shot that nobody waits for
    return verdict


def _has_completed(environment: Environment, name: str) -> bool:
    return environment.stack.may_complete(name) and environment.deployment.look(name, "completed").state == "ready"


def _server_verdict(environment: Environment, name: str) -> Verdict:
    """The server answers on the wire; a server that ended is an error at once."""
    alive = environment.deployment.look(name, "started")
    if alive.state != "ready":
        return alive
    for store in environment.stack.stores_of(name):
        verdict = environment.engine(store.name).probe(environment.target(store.name))
        if verdict.state != "ready":
            return not_yet(verdict.reason) if verdict.state == "not yet" else verdict
    return READY


def _initialise(environment: Environment, name: str) -> None:
    stores = environment.stack.stores_of(name)
    if not stores:
        return
    service = environment.stack.services[name]
    engine = environment.engine(stores[0].name)
    if isinstance(engine, Initialises):
        address = environment.address(name, engine.launch(service).port)
        engine.initialise(service, stores, address, image=environment.run.runtime != "local")
