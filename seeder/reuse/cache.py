"""The cache of layers: what of a plan is there already, who builds what is missing, and what is kept for the next run."""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from seeder import fingerprint
from seeder.errors import SeederError
from seeder.events import Emit, Noticed, Progress
from seeder.machine import home
from seeder.machine.lock import taken
from seeder.passed.layer import SET, Base, Chain, Layer, key
from seeder.passed.operation import Plan
from seeder.registry import LAYERS
from seeder.reuse import bases, branch, chain, common, room, shortcut
from seeder.wait import READY, wait_for

BUILD_SECONDS = 3600.0  # how long another run may take to build what this one waits for
VARIABLE = "SEEDER_CACHE"  # `off`: as --no-cache


def begin(plan: Plan) -> Plan:
    """The plan with every server beginning at the deepest layer that there is; as it is where layers are not wanted, and where others use
    the servers, too."""
    if plan.stack.shared or not plan.definition.request.cache or os.environ.get(VARIABLE) == "off":
        return plan
    return _halting(_found(_chained(plan)))


def _chained(plan: Plan) -> Plan:
    """Where its servers come along, by the ids of their states; to tell these files are read."""
    chains, on_the_way = chain.of(plan), list(bases.on_the_way(plan))
    *ids, whole = chain.wholes(plan, chains, [*(calls for _, calls in on_the_way), len(plan.calls)]) or [""]
    found = tuple(Base(label, calls, one) for (label, calls), one in zip(on_the_way, ids, strict=False))
    return dataclasses.replace(plan, chains=chains, whole=whole, bases=found[::-1], full=plan)


def _found(plan: Plan) -> Plan:
    """Beginning at what is there of that now."""
    whole, manifest = _members(plan), _manifest(plan)
    results = bases.results(plan, manifest) if whole and manifest else {}
    whole = {} if results is None else whole  # who kept it may have been another scenario, with the same steps
    if not whole and (on_the_way := next(_bases(plan), None)):
        return on_the_way
    return dataclasses.replace(shortcut.take(plan, plan.chains, whole, {} if whole else _at_rest(plan)), results=results or {})


def _bases(plan: Plan) -> Iterator[Plan]:
    """Beginning at the sets of scenarios that are used, and going on from there."""
    for base in plan.bases:
        part = bases.part(plan, base)
        whole, manifest = _members(part), _manifest(part)
        results = bases.results(part, manifest) if whole and manifest else None
        if results is not None and not any(layer.deep for layer in whole.values()):
            yield dataclasses.replace(shortcut.go_on(plan, whole, base), results=results)


def _halting(plan: Plan) -> Plan:
    """Halting where the default branch ends, as git tells."""
    files = common.files(plan)
    ours = branch.default(plan.definition.manifest.root, files) if files else None
    return common.take(plan, ours) if ours else plan


def members(plan: Plan) -> dict[str, str]:
    """Server -> the key of its layer in the plan's set."""
    return {server: key(member(plan.whole, server), one.form) for server, one in plan.chains.items()}


def stores(plan: Plan) -> set[str]:
    """The layer stores in which the parts of the plan's set lie."""
    return {"directory", *(one.where for one in plan.chains.values())}


def _at_rest(plan: Plan) -> dict[str, Layer]:
    return _find(plan, {server: [one.key(state) for state in one.states] for server, one in plan.chains.items()})


def _members(plan: Plan) -> dict[str, Layer]:
    """Server -> its layer of the plan's set; empty unless the set is there as a whole, and fits."""
    kept = _kept(plan)
    return kept if all(fits(plan, layer) for layer in kept.values()) else {}


def _kept(plan: Plan) -> dict[str, Layer]:
    """The same, whether it fits or not."""
    if not _manifest(plan):
        return {}
    keys = members(plan)
    found = _there(plan, {server: [wanted] for server, wanted in keys.items()})
    return {server: found[wanted] for server, wanted in keys.items()} if len(found) == len(keys) else {}


def _find(plan: Plan, wanted: Mapping[str, list[str]]) -> dict[str, Layer]:
    """By its key the deepest layer of each server that is there and fits; its keys are named from the beginning on. Whether a layer fits
    takes a while to tell."""
    there = _there(plan, wanted)
    deepest = (next((there[key] for key in reversed(keys) if key in there and fits(plan, there[key])), None) for keys in wanted.values())
    return {layer.key: layer for layer in deepest if layer}


def _there(plan: Plan, wanted: Mapping[str, list[str]]) -> dict[str, Layer]:
    """By their keys those that are there. Every layer store is asked once."""
    there: dict[str, Layer] = {}
    for name in sorted({one.where for one in plan.chains.values() if one.where}):
        there |= LAYERS.get(name).find([key for server, one in plan.chains.items() if one.where == name for key in wanted[server]])
    return there


def _manifest(plan: Plan) -> Layer | None:
    return LAYERS.get("directory").find([key(plan.whole, SET)]).get(key(plan.whole, SET)) if plan.whole else None


def member(whole: str, server: str) -> str:
    """The id of one server's state in a set."""
    return fingerprint.link("whole", whole, {"server": server})


def fits(plan: Plan, layer: Layer) -> bool:
    """Whether it was made with the secrets that the stack has now: else the server lets nobody in, or holds what others made."""
    server, salt = str(layer.facts.get("server", "")), layer.facts.get("salt")
    if server not in plan.stack.services:
        return True
    given = chain.secrets(plan, server, whole=bool(layer.facts.get("set")))
    return fingerprint.same_secrets(given, str(salt), str(layer.facts.get("secrets"))) if salt else not given


def unfit(plan: Plan) -> dict[str, str]:
    """Server -> the last of its states of which there is a layer that other secrets made, so that the server begins before it; under an
    empty name the same of the set."""
    whole = _kept(plan) if plan.calls else {}
    found = {} if all(fits(plan, layer) for layer in whole.values()) else {"": "all stores together"}
    begins = plan.begins
    beyond = {server: one.states[begins[server].place if server in begins else 0 :] for server, one in plan.chains.items()}
    layers = _there(plan, {server: [plan.chains[server].key(state) for state in states] for server, states in beyond.items()})
    for server, states in beyond.items():
        there = ((state.subject, layers.get(plan.chains[server].key(state))) for state in reversed(states))
        wrong = next((subject for subject, layer in there if layer and not fits(plan, layer)), None)
        found |= {server: wrong} if wrong else {}
    return found


def told(plan: Plan, server: str, whole: str = "") -> dict[str, str]:
    """Facts by which the secrets that made a kept server are known again; `whole`: the set that it is of, if it is of one."""
    given, salt = chain.secrets(plan, server, whole=bool(whole)), secrets.token_hex(16)
    return {"server": server, "salt": salt, "secrets": fingerprint.of_secrets(given, salt)} if given else {"server": server}


# -- building ---------------------------------------------------------------------------------------------------------


@contextmanager
def turn(plan: Plan, folder: Path, emit: Emit) -> Iterator[Plan]:
    """Inside, the plan begins at layers that stay, and nobody else builds what it will keep. Where another run is at that, wait until it
    is done or dead. What the plan knows may be old by then: it begins at what is there now, and when that is all, nobody waits for it."""
    if not plan.chains:
        yield plan
        return
    with ExitStack() as held:
        while True:
            wanted = to_keep(plan)
            for name in sorted(wanted):
                hold(name, held, emit)
            plan = _settled(plan, folder, old=bool(wanted))
            left = to_keep(plan)
            if left <= wanted:
                break
            held.close()  # a layer has gone meanwhile, and others may be building it anew
        if not left:
            held.close()
        yield plan


def _settled(plan: Plan, folder: Path, *, old: bool) -> Plan:
    """The plan with its layers marked as in use by the run of the folder, begun again if it is `old` or one of them has gone. Others
    wait meanwhile: files are read and git is asked before and after."""
    if plan.full and old:  # an image may be there by now, and with it the form in which its states are kept
        anew = _chained(plan.full)
    else:
        anew = dataclasses.replace(plan.full or plan, chains=plan.chains, whole=plan.whole, bases=plan.bases, full=plan.full)
    with room.still():
        again = plan.full and (old or not room.has([one.layer for one in plan.begins.values()]))
        plan = _found(anew) if again else plan
        room.use([one.layer for one in plan.begins.values()], folder)
        if manifest := _manifest(bases.part(plan, plan.base) if plan.base else plan):
            LAYERS.get(manifest.where).use(manifest)
    return _halting(plan) if again else plan


def to_keep(plan: Plan) -> set[str]:
    """Ids of the states that this plan comes to, that are worth keeping and that are not there."""
    begins = plan.begins
    at = {server: begins[server].place if server in begins else 0 for server in plan.chains}
    rest = {state.id for server, one in plan.chains.items() for state in one.states[at[server] :] if state.kept}
    rest |= {plan.chains[server].states[place - 1].id for server, place in plan.common.items()}
    return rest | ({plan.whole} if plan.whole and plan.calls else set())


def hold(name: str, held: ExitStack, emit: Emit) -> None:
    """Take the lock of a state, for as long as `held` lasts."""
    import filelock

    lock = filelock.FileLock(home.locks() / f"{name}.lock", mode=0o600)
    if taken(lock) != READY:
        emit(Progress("images", "layers", "waiting", "another run builds what this one needs"))
        remedy = "see what the other run waits for (`seeder ls`), or use --no-cache"
        wait_for("layers", lambda: taken(lock, "another run is still building it"), within=BUILD_SECONDS, remedy=remedy)
    held.callback(lock.release)


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
    """The place after the last state of this kind that is worth keeping, beyond `before`; 0 when there is none."""
    places = [place for place, state in enumerate(one.states, 1) if place > before and state.kept and state.verb == verb]
    return places[-1] if places else 0


def make_room(plan: Plan, emit: Emit) -> None:
    """After a run that kept something. That no room can be made fails no run."""
    if not to_keep(plan):
        return
    try:
        room.prune(room.LIMIT, own=True)
        room.forget_built(room.stale())
    except (OSError, SeederError) as error:
        emit(Noticed("layers", f"old ones could not be removed: {error}", "`seeder cache prune` does it"))
