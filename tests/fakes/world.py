"""A world without a plan: a stack on the local runtime, its real engines, and nothing done to it that a test did not ask for."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from seeder import warden
from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.service import Condition
from seeder.definition.stack import Stack
from seeder.events import Event
from seeder.machine import home
from seeder.machine.process import Completed
from seeder.passed.run import Run, Task
from seeder.passed.target import Target
from seeder.protocols import Deployment, Engine, Initialises, Runtime
from seeder.registry import ENGINES, RUNTIMES, traits
from seeder.wait import Verdict, wait_for

AS_OF = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


class LiveWorld:
    """Satisfies `protocols.World` by asking the deployment and the engines; keeps the events that it was told."""

    def __init__(self, run: Run, stack: Stack, runtime: Runtime, exit_stack: ExitStack) -> None:
        self.run = run
        self.stack = stack
        self.events: list[Event] = []
        self.deployment: Deployment = runtime.open(run, stack, self.emit)
        self.addresses = self.deployment.prepare({})
        self._exit = exit_stack

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def target(self, store: str) -> Target:
        found = self.stack.stores[store]
        service = self.stack.services[found.service]
        engine = ENGINES.get(found.engine)
        return engine.target(found, service, self.addresses[found.service, engine.launch(service).port])

    def engine(self, store: str) -> Engine:
        return ENGINES.get(self.stack.stores[store].engine)

    def http(self, service: str) -> httpx.Client:
        address = next(address for (name, _), address in sorted(self.addresses.items()) if name == service)
        return self._exit.enter_context(httpx.Client(base_url=f"http://{address}", timeout=5, trust_env=False))

    def execute(self, task: Task) -> Completed:
        return self.deployment.execute(task)

    def look(self, service: str, condition: Condition) -> Verdict:
        return self.deployment.look(service, condition)

    def run_service(self, name: str, *, within: float, remedy: str) -> None:
        self.deployment.start(name)
        wait_for(name, lambda: self.look(name, "completed"), within=within, remedy=remedy)

    def variables(self) -> dict[str, str]:
        return {f"SEEDER_{name.upper().replace('-', '_')}_URL": self.target(name).url() for name in self.stack.stores}

    def start(self, *services: str) -> None:
        """Start services and wait until they are healthy; servers hold their databases then."""
        for name in services:
            self.deployment.start(name)
            stores = self.stack.stores_of(name)
            for store in stores:
                engine, target = self.engine(store.name), self.target(store.name)
                wait_for(name, lambda engine=engine, target=target: engine.probe(target), within=30)
            if stores and isinstance(engine := self.engine(stores[0].name), Initialises):
                service = self.stack.services[name]
                engine.initialise(service, stores, self.addresses[name, engine.launch(service).port], image=False)
            if not stores:
                wait_for(name, lambda name=name: self.look(name, "healthy"), within=30)


def read(compose: Path, *only: str) -> Stack:
    """The stack of one compose file; of these services and what they need, where some are named."""
    return read_stack(StackEntry(compose.parent.name, "1.0.0", (compose,)), engines=traits(), environment={}, only=only or None)


@contextmanager
def opened(stack: Stack, *services: str) -> Iterator[LiveWorld]:
    """A world of the stack with these services started; nothing of it is left afterwards."""
    now = datetime.datetime.now(datetime.UTC)
    id_ = f"test{secrets.token_hex(4)}"
    run = Run(id_, "tests", stack.name, "local", home.run_folder(id_), stack.project_dir, AS_OF, 42, now + datetime.timedelta(minutes=10))
    with ExitStack() as exit_stack:
        exit_stack.callback(lambda: check_swept(warden.sweep(id_, "local").left))
        world = LiveWorld(run, stack, RUNTIMES.get("local"), exit_stack)
        world.start(*services)
        yield world


def check_swept(left: tuple[str, ...]) -> None:
    assert not left, left
