"""For suites that live on Testcontainers: their own container, in the state of a store of a stack.

with seeded(PostgresContainer("postgres:17"), stack="shop", store="orders-db", scenario="checkout-ready") as postgres:
    engine = create_engine(postgres.get_connection_url())
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from seeder import lifecycle
from seeder.definition.request import Request, named
from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.errors import EnvironmentFailed, UsageError
from seeder.passed.layer import Chain, Layer
from seeder.passed.operation import Plan
from seeder.passed.options import Options
from seeder.passed.target import Address, Target
from seeder.protocols import Engine, Saves
from seeder.registry import ENGINES
from seeder.testing.server import Wanted, planned

C = TypeVar("C")


@contextmanager
def seeded(
    container: C,
    *,
    store: str,
    stack: str | None = None,
    scenario: str | None = None,
    inputs: Mapping[str, str] | None = None,
    project: Path | str | None = None,
) -> Iterator[C]:
    """Start a container of Testcontainers that was not started yet, in the state that the store has in the scenario; it is stopped after
    the block. Databases begin at seeder's layer, and have the credentials of the stack, which the container answers as its own; what has
    no such layer (Redis) is filled once it is up. A layer that is not there is made first. `project` is a folder of the project (the
    current one by default). Raises SeederError."""
    folder = Path(project or Path.cwd())
    request = Request(stack=stack, scenario=scenario, inputs=dict(inputs or {}), runtime="docker")
    found = named(Wanted(folder, request, "").definition().stack.stores, store, "store")
    wanted = Wanted(folder, request, found.service)
    plan, layer = _kept(wanted)
    service, engine, theirs = plan.stack.services[found.service], ENGINES.get(found.engine), _of(container, _image(plan, found))
    if plan.chains[found.service].physical:
        _become(theirs, engine.target(found, service, Address("", 0)), layer, engine.launch(service).moved)
    with theirs as started:
        if layer and not plan.chains[found.service].physical:
            _fill(started, engine, found, service, layer)
        yield started


def _kept(wanted: Wanted) -> tuple[Plan, Layer | None]:
    """The plan, and the layer that holds all that the server is to hold; none where it is to hold nothing. A run makes it."""
    for last in (False, True):
        plan = planned(wanted)
        chain, begin = plan.chains.get(wanted.server), plan.begins.get(wanted.server)
        if plan.acts or chain is None or chain.unkept or not chain.form:
            cause = _unkept(plan, chain)
            raise EnvironmentFailed(wanted.server, f"its state cannot be kept, so that no container can begin with it: {cause}")
        if begin and begin.place == len(chain.states) and not plan.calls:
            return plan, begin.layer
        if not chain.states and not plan.calls:
            return plan, None
        if not last:
            with lifecycle.opened(plan, Options(), lambda _: None):
                pass
    raise EnvironmentFailed(wanted.server, "its state was made and is not kept", "`seeder cache explain` tells why")


def _unkept(plan: Plan, chain: Chain | None) -> str:
    if plan.acts:
        return "the scenario acts in it, which is done each time"
    return chain.unkept if chain else "layers are switched off (SEEDER_CACHE)"


def _image(plan: Plan, store: Store) -> str:
    """The image that the stack names for the store's server; empty where it builds one."""
    return plan.stack.services[store.service].image or ""


def _of(container: Any, image: str) -> Any:
    """The container, if it is one of the image that the stack names: another version would not read the data."""
    if image and not str(container.image).endswith(image):
        raise UsageError(str(container.image), f"the stack runs this store on {image}", f'use that: {type(container).__name__}("{image}")')
    return container


def _become(container: Any, target: Target, layer: Layer | None, moved: Mapping[str, str]) -> None:
    """Its data are initialised already: it is told where they are, takes their credentials and hands them out."""
    container.username, container.password, container.dbname = target.user, target.password or "", target.database
    if layer:
        container.image = layer.place
        for name, value in moved.items():
            container.with_env(name, value)


def _fill(container: Any, engine: Engine, store: Store, service: Service, layer: Layer) -> None:
    port = engine.launch(service).port
    address = Address(container.get_container_host_ip(), int(container.get_exposed_port(port)))
    target = dataclasses.replace(engine.target(store, service, address), password=getattr(container, "password", None) or None)
    if not isinstance(engine, Saves):
        raise EnvironmentFailed(store.name, f"{engine.name} cannot take up what was saved")
    engine.restore(target, Path(layer.place) / store.name)
