"""The cache of layers: what of a plan is there already, who builds what is missing, and what is kept for the next run."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from seeder import chain, fingerprint, home, shortcut
from seeder.definition.service import Service
from seeder.errors import SeederError
from seeder.events import Emit, Progress
from seeder.layer import Chain, Layer, key
from seeder.operation import Plan
from seeder.registry import LAYERS
from seeder.wait import READY, not_yet, wait_for

BUILD_SECONDS = 3600.0  # how long another run may take to build what this one waits for
VARIABLE = "SEEDER_CACHE"  # `off`: as --no-cache
SET = "set"  # the form of a set's manifest; it is kept when all of its members are


def begin(plan: Plan) -> Plan:
    """The plan with every server beginning at the deepest layer that there is; as it is where layers are not wanted."""
    if not plan.definition.request.cache or os.environ.get(VARIABLE) == "off":
        return plan
    chains = chain.of(plan)
    plan = dataclasses.replace(plan, chains=chains, whole=chain.whole(plan, chains), full=plan)
    return shortcut.take(plan, chains, _members(plan), _at_rest(plan))


def _at_rest(plan: Plan) -> dict[str, Layer]:
    return _find(plan, {server: [one.key(step) for step in one.steps] for server, one in plan.chains.items()})


def _members(plan: Plan) -> dict[str, Layer]:
    """Server -> its layer of the plan's set; empty unless the set is there as a whole."""
    if not _manifest(plan):
        return {}
    keys = {server: key(member(plan.whole, server), one.form) for server, one in plan.chains.items()}
    found = _find(plan, {server: [wanted] for server, wanted in keys.items()})
    return {server: found[wanted] for server, wanted in keys.items()} if len(found) == len(keys) else {}


def _find(plan: Plan, wanted: Mapping[str, list[str]]) -> dict[str, Layer]:
    """What is there and fits, of the keys of each server; every layer store is asked once."""
    found: dict[str, Layer] = {}
    for name in sorted({one.where for one in plan.chains.values() if one.where}):
        keys = [key for server, one in plan.chains.items() if one.where == name for key in wanted[server]]
        found |= LAYERS.get(name).find(keys)
    return {key: layer for key, layer in found.items() if _fits(plan, layer)}


def _manifest(plan: Plan) -> Layer | None:
    return LAYERS.get("directory").find([key(plan.whole, SET)]).get(key(plan.whole, SET)) if plan.whole else None


def member(whole: str, server: str) -> str:
    """The id of one server's state in a set."""
    return fingerprint.link("whole", whole, {"server": server})


def _fits(plan: Plan, layer: Layer) -> bool:
    """Whether the server lets its clients in: it was made with the secrets that the stack has now."""
    server, salt = str(layer.facts.get("server", "")), layer.facts.get("salt")
    if not salt or server not in plan.stack.services:
        return True
    return fingerprint.same_secrets(chain.secrets(plan.stack.services[server]), str(salt), str(layer.facts.get("secrets")))


def told(service: Service) -> dict[str, str]:
    """Facts by which the secrets of a kept server are known again."""
    given, salt = chain.secrets(service), secrets.token_hex(16)
    return {"server": service.name, "salt": salt, "secrets": fingerprint.of_secrets(given, salt)} if given else {"server": service.name}


# -- building ---------------------------------------------------------------------------------------------------------


@contextmanager
def turn(plan: Plan, emit: Emit) -> Iterator[Plan]:
    """Inside, nobody else builds what the plan will keep. Where another run is at it, wait until it is done or dead, and begin at what
    it made."""
    wanted = sorted(to_keep(plan))
    if not wanted:
        yield plan
        return
    with ExitStack() as held:
        waited = [name for name in wanted if _hold(name, held, emit)]
        yield _anew(plan) if waited else plan


def to_keep(plan: Plan) -> set[str]:
    """Ids of the states that this plan comes to, that are worth keeping and that are not there."""
    begins = plan.begins
    at = {server: begins[server].steps if server in begins else 0 for server in plan.chains}
    rest = {step.id for server, one in plan.chains.items() for step in one.steps[at[server] :] if step.kept}
    return rest | ({plan.whole} if plan.whole and plan.calls else set())


def _hold(name: str, held: ExitStack, emit: Emit) -> bool:
    """Take the lock of a state; tells whether another process had it."""
    import filelock

    folder = home.cache() / "building"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = filelock.FileLock(folder / f"{name}.lock", mode=0o600)
    with contextlib.suppress(filelock.Timeout):
        held.enter_context(lock.acquire(timeout=0))
        return False
    emit(Progress("images", "layers", "waiting", "another run builds what this one needs"))

    def look() -> Any:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return not_yet("another run is still building it")
        return READY

    wait_for("layers", look, within=BUILD_SECONDS, remedy="see what the other run waits for (`seeder ls`), or use --no-cache")
    held.callback(lock.release)
    return True


def _anew(plan: Plan) -> Plan:
    """The same plan, begun again: what was left out of it is in no other place than its chains' layers."""
    return begin(plan.full) if plan.full else plan


# -- keeping ----------------------------------------------------------------------------------------------------------


def facts(plan: Plan, subjects: Iterable[str], whole: str = "", **known: Any) -> dict[str, Any]:
    """What is known of a state when it is kept; `whole` is the set that it is a part of, `known` what gates ask of its server."""
    return ({"set": whole} if whole else {}) | {
        "project": plan.definition.manifest.project,
        "stack": plan.stack.name,
        "holds": list(subjects),
        **known,
    }


def reached(one: Chain, before: int, verb: str) -> int:
    """The place after the last step of this kind that is worth keeping, beyond `before`; 0 when there is none."""
    places = [place for place, step in enumerate(one.steps, 1) if place > before and step.kept and step.verb == verb]
    return places[-1] if places else 0


# -- room -------------------------------------------------------------------------------------------------------------

LIMIT = 5_000_000_000  # bytes that runs leave in the cache; what was not used for longest goes
USES = "layers.json"


def every() -> list[Layer]:
    """Every layer of this machine that can be reached now."""
    found: list[Layer] = []
    for name in LAYERS.names():
        with contextlib.suppress(SeederError):  # without a Docker engine there are no images of one
            found += LAYERS.get(name).every()
    return found


def uses(plan: Plan, folder: Path) -> None:
    """Write into a run's folder which layers it begins at, and note that they were used."""
    begins = plan.begins
    for server, begin in begins.items():
        LAYERS.get(plan.chains[server].where).use(begin.layer)
    if manifest := _manifest(plan):
        LAYERS.get("directory").use(manifest)
    (folder / USES).write_text(json.dumps([begin.layer.key for begin in begins.values()]), encoding="utf-8")


def in_use() -> set[str]:
    """Keys of the layers at which runs began that are here."""
    found: set[str] = set()
    for path in home.runs().glob(f"[!.]*/{USES}"):
        with contextlib.suppress(OSError, ValueError):
            found |= set(json.loads(path.read_text(encoding="utf-8")))
    return found


def excess(limit: int, before: datetime.datetime | None = None) -> list[Layer]:
    """What is beyond `limit` bytes, what was used last being kept first, and what was not used since `before`. Sets go as a whole;
    what a run uses stays."""
    groups: dict[str, list[Layer]] = {}
    for layer in every():
        groups.setdefault(str(layer.facts.get("set") or layer.key), []).append(layer)
    busy, held, gone = in_use(), 0, list[Layer]()
    for group in sorted(groups.values(), key=lambda layers: max(layer.used for layer in layers), reverse=True):
        size, used = sum(layer.size for layer in group), max(layer.used for layer in group)
        if any(layer.key in busy for layer in group) or (held + size <= limit and not (before and used < before)):
            held += size
        else:
            gone += group
    return gone


def remove(layers: Iterable[Layer]) -> None:
    """Remove layers, manifests of sets first, so that nobody finds a set without its members."""
    for layer in sorted(layers, key=lambda layer: layer.form != SET):
        for name in LAYERS.names():
            with contextlib.suppress(SeederError):
                if layer.key in LAYERS.get(name).find([layer.key]):
                    LAYERS.get(name).remove(layer)
