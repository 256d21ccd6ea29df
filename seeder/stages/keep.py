"""Keep the states that the run has come to as layers, so that the next one begins there; then go on from them, as the next one will."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seeder.environment import Environment
from seeder.errors import EnvironmentFailed
from seeder.events import Noticed
from seeder.machine import process
from seeder.order import along
from seeder.passed.layer import SET, Chain, State
from seeder.passed.operation import Plan
from seeder.protocols import Saves
from seeder.registry import LAYERS
from seeder.reuse import bases, cache, chain, room
from seeder.running import start


def common(environment: Environment, plan: Plan) -> None:
    """The newest state that this branch's migrations share with the default branch is kept."""
    _keep_places(environment, plan, plan.common)


def migrated(environment: Environment, plan: Plan) -> None:
    """What migrations led to is kept."""
    _keep_reached(environment, plan, "migrate")


def seeded(environment: Environment, plan: Plan) -> None:
    """What is in the stores at rest is kept."""
    _keep_reached(environment, plan, "load")


def whole(environment: Environment, plan: Plan) -> None:
    """What everything led to is kept in one cut: services are stopped meanwhile, and start anew on what was kept."""
    if not plan.whole or not plan.calls:
        return
    running = start.running(environment, plan)
    start.stop(environment, running)
    _keep_whole(environment, plan)
    start.in_order(environment, plan, running)


def _keep_whole(environment: Environment, plan: Plan) -> None:
    """Members of one cut and nothing else: what is left of another (a killed run's, say) goes before, and the manifest that makes a set
    of them is written only if all were kept. What steps made stands in that alone: anybody may read the labels of an image."""
    holds = [*dict.fromkeys(state.subject for one in plan.chains.values() for state in one.states), "services"]
    kept: dict[str, bool] = {}

    def keep(server: str) -> None:
        kept[server] = _keep(environment, plan, server, cache.member(plan.whole, server), holds, plan.whole)

    room.forget(plan.whole, cache.stores(plan))
    along({server: [] for server in plan.chains}, keep)
    if all(kept.values()):
        made = {"results": dict(environment.results), "keys": dict(bases.keys(plan))} if environment.results else {}
        _keep_folder(plan.whole, SET, _draft(environment, SET), cache.facts(plan, holds, plan.whole, **made))


def _keep_reached(environment: Environment, plan: Plan, verb: str) -> None:
    places: dict[str, int] = {}
    for server, one in plan.chains.items():
        begin = plan.begins.get(server)
        if place := cache.reached(one, begin.place if begin else 0, verb):
            places[server] = place
    _keep_places(environment, plan, places)


def _keep_places(environment: Environment, plan: Plan, places: Mapping[str, int]) -> None:
    along({server: [] for server in places}, lambda server: _keep_step(environment, plan, plan.chains[server], places[server]))


def _keep_step(environment: Environment, plan: Plan, one: Chain, place: int) -> None:
    reached: State = one.states[place - 1]
    _keep(environment, plan, one.server, reached.id, [s.subject for s in one.states[:place]])


def _keep(environment: Environment, plan: Plan, server: str, state: str, holds: list[str], whole: str = "") -> bool:
    """Whether it was kept; that it could not be fails no run whose server goes on."""
    begun = time.monotonic()
    try:
        _keep_now(environment, plan, server, state, holds, whole)
    except (EnvironmentFailed, OSError) as error:
        reason = error.problems[0].cause if isinstance(error, EnvironmentFailed) else error.strerror or error
        if environment.deployment.look(server, "started").state != "ready":
            raise
        environment.emit(Noticed(server, f"its state could not be kept, so that the next run makes it anew: {reason}"))
        return False
    environment.tell("keep", server, "kept", f"layer {state[:12]}", round(time.monotonic() - begun, 3))
    return True


def _keep_now(environment: Environment, plan: Plan, server: str, state: str, holds: list[str], whole: str) -> None:
    one = chain.formed(plan, server)
    facts = cache.facts(plan, holds, whole, **_known(environment, server)) | cache.told(plan, server, whole)
    if one.physical:
        _with_server_stopped(environment, plan, server, lambda place: LAYERS.get(one.where).keep(state, one.form, place, facts))
    else:
        draft = _draft(environment, server)
        for store in environment.stack.stores_of(server):
            _saving(environment, store.name)(draft / store.name)
        _keep_folder(state, one.form, draft, facts)


def _with_server_stopped(environment: Environment, plan: Plan, server: str, act: Callable[[str], Any]) -> None:
    deployment = start.stopping(environment)
    deployment.stop(server)
    try:
        act(deployment.state(server))
    finally:
        start.again(environment, plan, next(one for one in plan.servers if one.subject == server))


def _saving(environment: Environment, store: str) -> Callable[[Path], None]:
    engine = environment.engine(store)
    if not isinstance(engine, Saves):
        raise EnvironmentFailed(store, f"{engine.name} has no portable form", "use --no-cache")
    return lambda folder: engine.save(environment.target(store), folder)


def _draft(environment: Environment, name: str) -> Path:
    """A folder of the run, so that it goes with it."""
    folder = (process.scratch() or environment.run.folder) / "layers" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _keep_folder(state: str, form: str, folder: Path, facts: Mapping[str, Any]) -> None:
    LAYERS.get("directory").keep(state, form, str(folder), facts)
    shutil.rmtree(folder, ignore_errors=True)


def _known(environment: Environment, server: str) -> dict[str, Any]:
    """How migrations left the server's stores, and what was loaded into their tables; files count from the project's folder, wherever
    that is next time."""
    names = {store.name for store in environment.stack.stores_of(server)}
    loaded = [dataclasses.asdict(table) for table in environment.loaded if table.store in names]
    return {
        "tables": [{**table, "file": os.path.relpath(table["file"], environment.run.checkout)} for table in loaded],
        "migrated": {store: dataclasses.asdict(one) for store, one in environment.migrated.items() if store in names},
    }
