"""The running thing: one isolated instance of a stack, with its addresses, its owner and its exit stack."""

from __future__ import annotations

import base64
import datetime
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seeder import variables
from seeder.definition.extension import Auth
from seeder.definition.scenario import Scenario, fill
from seeder.definition.service import Condition
from seeder.definition.stack import Stack
from seeder.errors import EnvironmentFailed, Problem, SeederError, UsageError
from seeder.events import Emit, Progress, RunStarted
from seeder.machine import home
from seeder.machine.process import Completed
from seeder.passed.fitness import Fitness, LoadedTable, Migrated
from seeder.passed.run import Addition, Run, Task
from seeder.passed.target import Address, Target
from seeder.protocols import Deployment, Engine, Networked, Placed, Rewinder, Rewinds, World
from seeder.registry import ENGINES, RUNTIMES, traits, volatile
from seeder.wait import LAST_LINES, READY, Verdict, never, not_yet, wait_for

if TYPE_CHECKING:
    import httpx

    from seeder.passed.operation import Plan

AT_WORK = datetime.timedelta(days=1)  # how long an environment may be in use before its time to live begins
STEP_SECONDS = 60.0  # how long steps that are under way may take to end once another one failed
REQUEST_SECONDS = 10.0  # the time limit of one request that seeder itself makes
IDLE_SECONDS = 2.0  # a connection is not used again after this long: many servers close theirs after five, and a request may meet that


class Environment:
    """What stages act on and plugs ask (it satisfies `protocols.World`).

    `exit` holds the undo of everything that was done, in the order of doing; closing the environment unwinds it.
    """

    def __init__(self, run: Run, plan: Plan, deployment: Deployment, emit: Emit, exit_stack: ExitStack) -> None:
        self.run = run
        self.plan = plan
        self.deployment = deployment
        self.emit = emit
        self.exit = exit_stack
        self.addresses: Mapping[tuple[str, int], Address] = {}
        self.migrated: dict[str, Migrated] = {}
        self.loaded: list[LoadedTable] = []
        self.results: dict[str, Any] = {}  # step -> what its capability answered
        self.spared: frozenset[str] = frozenset()  # one-shots that another process's plan did not need, or whose end it saw
        self.copies: Mapping[str, Target] = {}  # a test's own of these stores: they are meant in the stores' place
        self.keys: dict[str, dict[str, str]] = {}  # store.table.column -> what datasets say -> what it is here, where that differs
        self.restored = False  # its stores have their state from a bundle
        self.lasts = False  # what steps make in it is not thrown away with it
        self.stopped = False  # a step failed: none begins any more, and none is tried again
        self._making: set[str] = set()
        self.marks = False  # stores are marked, so that `reset` can take them back
        self._rewinders: dict[str, Rewinder] = {}
        self._clients: dict[str, httpx.Client] = {}
        self._lock = threading.Lock()

    @property
    def stack(self) -> Stack:
        return self.plan.stack

    # -- addresses ----------------------------------------------------------------------------------------------------

    def address(self, service: str, port: int | None = None) -> Address:
        """Where a service is reached from here; without `port`, its first one. Raises EnvironmentFailed."""
        return self.ports(service)[self._port(service, port)]

    def _port(self, service: str, port: int | None = None) -> int:
        """The container port that is meant, one that is reachable."""
        ports = self.ports(service)
        port = self.stack.services[service].first_port(ports) if port is None else port
        if not self.addresses:
            raise EnvironmentFailed(service, "has no address: the run ended before it got one")
        if port is None or port not in ports:
            cause = f"no port {port} is reachable" if port else "no port is reachable"
            raise EnvironmentFailed(service, cause, "name the port under `ports` or `expose`")
        return port

    def reach(self, name: str, reader: str | None = None) -> str:
        """The URL of a service, or of a store with its credentials, at which `reader` reaches it: a service of the stack, or this
        machine (None)."""
        if self.stack.shared:
            return self.target(name).url() if name in self.stack.stores else self.stack.shared.urls[name]
        inside = self.deployment if reader and isinstance(self.deployment, Networked) else None
        if name not in self.stack.stores:
            return f"http://{inside.inside(name, self._port(name)) if inside else self.address(name)}"
        target, server = self.target(name), self.stack.stores[name].service
        port = self.engine(name).launch(self.stack.services[server]).port
        return (replace(target, address=inside.inside(server, port)) if inside else target).url()

    def ports(self, service: str) -> dict[int, Address]:
        """Container port -> address."""
        return {port: address for (name, port), address in sorted(self.addresses.items()) if name == service}

    def target(self, store: str) -> Target:
        """The store as reached from here, never through a proxy."""
        if store in self.copies:
            return self.copies[store]
        found = self.stack.stores[store]
        if self.stack.shared:
            return Target.at(store, found.engine, self.stack.shared.stores[store], traits()[found.engine].port)
        service = self.stack.services[found.service]
        engine = ENGINES.get(found.engine)
        return engine.target(found, service, self.address(found.service, engine.launch(service).port))

    def contents(self) -> dict[str, tuple[Target, list[str]]]:
        """Store -> how it is reached, and what its digest leaves out."""
        return {name: (self.target(name), volatile(store)) for name, store in self.stack.stores.items()}

    def engine(self, store: str) -> Engine:
        return ENGINES.get(self.stack.stores[store].engine)

    def rewinder(self, store: str) -> Rewinder:
        """What marks the store and takes it back to its mark. It keeps its connections until the environment closes."""
        engine = self.engine(store)
        with self._lock:
            if store not in self._rewinders:
                if not isinstance(engine, Rewinds):
                    raise EnvironmentFailed(store, f"{engine.name} cannot be taken back to a marked state")
                folder = self.run.folder / "marks" / store
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._rewinders[store] = made = engine.rewinder(self.target(store), folder)
                self.exit.callback(made.close)
            return self._rewinders[store]

    def http(self, service: str, *, fresh: bool = False) -> httpx.Client:
        """A client of the service: base address, authentication as declared, time limits. The environment closes it. `fresh`: one whose
        requests ask past caches."""
        name = f"{service}, fresh" if fresh else service
        with self._lock:
            if name not in self._clients:
                self._clients[name] = made = self.exit.enter_context(self.client(service))
                made.headers.update(self.stack.services[service].x.cache.headers if fresh else {})
            return self._clients[name]

    def client(self, service: str) -> httpx.Client:
        """The same, one of its own, which whoever asks closes. Raises UsageError for a store that answers no HTTP."""
        if why := self.stack.speechless(service):
            raise UsageError(service, why.removeprefix(f"{service} "), f"name a service: {', '.join(self.stack.answering)}")
        return client(self.reach(service), self.credentials(service))

    def tenant(self, service: str) -> Mapping[str, str]:
        """The headers by which clients of the service of a shared system say whose they are; none elsewhere."""
        return tenant(self.stack, service, self.run.mark)

    def credentials(self, service: str) -> Mapping[str, str]:
        """The headers by which clients of the service prove who they are, as the stack declares it."""
        return credentials(self.stack, service, self.run.mark)

    # -- steps --------------------------------------------------------------------------------------------------------

    @contextmanager
    def making(self, step: str) -> Iterator[None]:
        """The step is under way meanwhile. Raises EnvironmentFailed once no step begins any more."""
        self._making.add(step)
        try:
            if self.stopped:
                raise EnvironmentFailed(f"step {step}", "was not begun, for another one failed")
            yield
        finally:
            self._making.discard(step)

    def stop_steps(self) -> None:
        """No step begins any more. Where what they make is not thrown away, those that are under way have ended: what came of them is
        known, as far as it ever will be."""
        self.stopped = True
        if self.lasts:
            with suppress(EnvironmentFailed):  # who takes back what was made looks for the rest
                wait_for("steps", lambda: not_yet(", ".join(sorted(self._making))) if self._making else READY, within=STEP_SECONDS)

    # -- work inside --------------------------------------------------------------------------------------------------

    def execute(self, task: Task) -> Completed:
        """Run a program inside the environment."""
        return self.deployment.execute(task)

    def look(self, service: str, condition: Condition) -> Verdict:
        """One observation of a service against a depends_on condition. A one-shot for which a layer stands in has completed."""
        if service in self.plan.spared | self.spared:
            return READY
        return self.deployment.look(service, condition)

    def ended(self) -> dict[str, Verdict]:
        """Those of its services and servers that have ended and should still be at work: how."""
        begun = sorted(one.subject for one in (*self.plan.servers, *self.plan.services))
        found = {name: ended(self, name) for name in begun}
        return {name: how for name, how in found.items() if how}

    def refuse_ended(self) -> None:
        """Raises EnvironmentFailed when something of it has ended that should still be at work."""
        found = self.ended()
        if not found:
            return
        remedy = f"start a new environment; `seeder down {self.run.id}` ends this one"
        problems = [Problem(name, how.reason, f"see `seeder logs {name}`, then {remedy}") for name, how in found.items()]
        refused = EnvironmentFailed.of(problems)
        refused.log = next(iter(found.values())).log
        raise refused

    def run_service(self, name: str, *, within: float, remedy: str) -> None:
        """Start a one-shot service and wait until it has completed."""
        self.deployment.start(name)
        with self.heard(name):
            wait_for(name, lambda: self.deployment.look(name, "completed"), within=within, remedy=remedy)

    @contextmanager
    def heard(self, service: str) -> Iterator[None]:
        """What goes wrong with the service meanwhile is told with what it said last."""
        try:
            yield
        except EnvironmentFailed as error:
            error.log = error.log or self._last_lines(service)
            raise

    def _last_lines(self, service: str) -> str:
        """The failure is told without them where they cannot be had."""
        with suppress(SeederError):
            return self.deployment.logs(service, LAST_LINES).strip("\n")
        return ""

    def variables(self) -> dict[str, str]:
        """What the wrapped command gets: SEEDER_* and the stack's exports."""
        return variables.of(self)

    def tell(self, stage: str, subject: str, state: str, detail: str = "", seconds: float | None = None) -> None:
        self.emit(Progress(stage, subject, state, detail, seconds))

    @property
    def fitness(self) -> Fitness:
        """The plan's fitness, with the tables that migrations made, those that were loaded, and what is expected of the results."""
        scenario = self.scenario
        expected = scenario.expect if scenario else self.plan.fitness.expectations
        return replace(self.plan.fitness, tables=tuple(self.loaded), migrated=dict(self.migrated), expectations=expected)

    @property
    def scenario(self) -> Scenario | None:
        """The scenario, with the results of its steps in what is expected and told once all of them are done; until then without either."""
        scenario = self.plan.definition.scenario
        if scenario is None or not scenario.every:
            return scenario
        return replace(scenario, expect=(), outputs={}) if self.unmade else fill(scenario, self.results)

    @property
    def unmade(self) -> list[str]:
        """The steps of the scenario whose results are not known: they have not come yet, have failed, or stand there only now."""
        scenario = self.plan.definition.scenario
        return [step.name for step in scenario.spread().every if step.name not in self.results] if scenario else []


def client(base: str, headers: Mapping[str, str]) -> httpx.Client:
    """A client of the service at this address."""
    import ssl

    import httpx

    # Nobody is trusted where nobody has to be: to read all certificates for plain http takes its time.
    trusted = ssl.create_default_context() if base.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    return httpx.Client(base_url=base, headers=headers, timeout=REQUEST_SECONDS, limits=limits, trust_env=False, verify=trusted)


def credentials(stack: Stack, service: str, mark: str) -> dict[str, str]:
    """The headers by which a client says who asks, as the stack declares it, and for which tenant where the system is shared."""
    return {**_credentials(stack.services[service].x.auth), **tenant(stack, service, mark)}


def tenant(stack: Stack, service: str, mark: str) -> dict[str, str]:
    """Those alone by which a client of a shared system says for which tenant: the header, or a token with the claim, which lasts a day."""
    given = dict[str, str]()
    if stack.shared and (header := stack.shared.headers.get(service)):
        given[header] = mark
    if stack.shared and (claim := stack.shared.claims.get(service)):
        given["Authorization"] = f"Bearer {claim.token(mark, datetime.datetime.now(datetime.UTC))}"
    return given


def ended(world: World, service: str) -> Verdict | None:
    """How a service ended that should still be at work; None as long as it is, and when it may have done its work."""
    seen = world.look(service, "completed")
    if seen.state == "ready" and not world.stack.may_complete(service):
        return never("it ended with code 0", world.look(service, "healthy").log)
    return seen if seen.state == "never" else None


def _credentials(auth: Auth | None) -> dict[str, str]:
    if auth and auth.bearer:
        return {"Authorization": f"Bearer {auth.bearer.token}"}
    if auth and auth.api_key:
        return {auth.api_key.header: auth.api_key.value}
    if auth and auth.basic:
        login = base64.b64encode(f"{auth.basic.username}:{auth.basic.password}".encode()).decode()
        return {"Authorization": f"Basic {login}"}
    return {}


def identify(plan: Plan, ttl: datetime.timedelta) -> Run:
    """A new run of this plan: its id, its folder, and until when seeders that know nothing of it but its labels leave it alone: its
    own may be at work in it, and keep it then. Raises EnvironmentFailed when the place where it is to live does not answer."""
    definition, runtime = plan.definition, RUNTIMES.get(plan.runtime)
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"  # no two that look alike
    name = "".join(secrets.choice(alphabet) for _ in range(8))
    return Run(
        id=name,
        project=definition.manifest.project,
        stack=plan.stack.name,
        runtime=plan.runtime,
        folder=home.run_folder(name),
        checkout=definition.manifest.root,
        as_of=definition.as_of,
        seed=definition.seed,
        expires=datetime.datetime.now(datetime.UTC) + AT_WORK + ttl,
        place=runtime.place() if isinstance(runtime, Placed) else None,
    )


def open_environment(us: Run, plan: Plan, undo: ExitStack, emit: Emit) -> Environment:
    """The environment of a run that is about to begin: reserved, not yet created."""
    definition = plan.definition
    scenario = definition.scenario.name if definition.scenario else None
    policy = definition.policy.name if definition.policy else ""
    emit(RunStarted(us.id, us.project, us.stack, us.runtime, scenario, us.seed, us.moment, policy))
    deployment = RUNTIMES.get(plan.runtime).open(us, plan.stack, emit, _additions(plan), isolate_binds=definition.request.isolate_binds)
    return Environment(us, plan, deployment, emit, undo)


def _additions(plan: Plan) -> dict[str, Addition]:
    """What config datasets add to services before they are created; of two datasets the later one wins."""
    result: dict[str, Addition] = {}
    for operation in plan.additions:
        before = result.get(operation.subject, Addition())
        result[operation.subject] = Addition({**before.environment, **operation.environment}, {**before.files, **operation.files})
    return result
