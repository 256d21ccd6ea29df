"""One server of a compose file, started on a runtime, for tests of its engine."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seeder import warden
from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.stack import Stack
from seeder.engines import _nats_reset, _postgres_reset, _redis_state, _stub_state
from seeder.engines._postgres_connection import connect
from seeder.machine import home
from seeder.passed.run import Run
from seeder.passed.target import Address, Target
from seeder.protocols import Deployment, Initialises
from seeder.registry import ENGINES, RUNTIMES, traits
from seeder.wait import wait_for

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
WITHIN = 60.0


@dataclass(frozen=True)
class Server:
    """A started and initialised server."""

    engine: Any
    stack: Stack
    name: str
    address: Address
    deployment: Deployment
    folder: Path  # its run's

    def target(self, store: str | None = None) -> Target:
        target: Target = self.engine.target(self.stack.stores[store or self.name], self.stack.services[self.name], self.address)
        return target

    def empty(self, target: Target | None = None) -> None:
        """Take everything out of the store, as a restore does first: what is left is as before migrations. Clients stay connected."""
        EMPTIED[self.engine.name](target or self.target())


def _empty_postgres(target: Target) -> None:
    with closing(connect(target)) as connection:
        _postgres_reset.empty(connection)
        connection.commit()


EMPTIED: Mapping[str, Callable[[Target], None]] = {
    "postgres": _empty_postgres,
    "redis": _redis_state.empty,
    "nats": _nats_reset.reset,
    "stub": _stub_state.empty,
}


@contextmanager
def serving(runtime: str, compose: str, folder: Path, *, initialised: bool = True) -> Iterator[Server]:
    """Start the only service of the compose text; sweep its run afterwards."""
    (folder / "compose.yaml").write_text(compose, encoding="utf-8")
    stack = read_stack(StackEntry(name="engines", compose=(folder / "compose.yaml",), version="1"), engines=traits(), environment={})
    id_ = f"e{secrets.token_hex(5)}"
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    run = Run(id_, "contract", "engines", runtime, home.run_folder(id_), folder, NOON, 42, expires)
    run.folder.mkdir(mode=0o700)
    with ExitStack() as undo:
        undo.callback(warden.sweep, id_, runtime)
        deployment = RUNTIMES.get(runtime).open(run, stack, lambda _: None)
        server = _started(stack, deployment, run.folder)
        if initialised:
            _ready(server, image=runtime == "docker")
        yield server


def _started(stack: Stack, deployment: Deployment, folder: Path) -> Server:
    addresses = deployment.prepare({})
    (name,) = stack.servers
    engine = ENGINES.get(stack.stores_of(name)[0].engine)
    deployment.start(name)
    return Server(engine, stack, name, addresses[name, engine.launch(stack.services[name]).port], deployment, folder)


def _ready(server: Server, *, image: bool) -> None:
    stores = server.stack.stores_of(server.name)
    for store in stores:
        wait_for(store.name, lambda name=store.name: server.engine.probe(server.target(name)), within=WITHIN)  # type: ignore[misc]
    if isinstance(server.engine, Initialises):
        server.engine.initialise(server.stack.services[server.name], stores, server.address, image=image)
