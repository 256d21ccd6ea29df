"""Layers from a remote: what a plan can begin at, or everything. Whatever is not whole there is told, and never found by a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from seeder.errors import EnvironmentFailed, Problem, SeederError
from seeder.events import Emit
from seeder.machine import pack
from seeder.passed.layer import SET, Chain, Layer
from seeder.passed.operation import Plan
from seeder.protocols import Bases, Packs, Remote
from seeder.registry import LAYERS
from seeder.reuse import bases, cache, room, transfer
from seeder.reuse.transfer import Parcel, Transfer

AGAIN = "have it pushed anew from where it is good (`seeder cache push --force`); until then runs make it themselves"
HAD = ("moved", "there")


def of_plan(remote: Remote, plan: Plan, emit: Emit) -> Iterator[Transfer]:
    """The deepest that the plan can begin at and that is not here: its set, else that of a scenario which is used, else the deepest
    layer of each server."""
    plan, there = _with_bases(plan), remote.names()
    for part in (plan, *(bases.part(plan, base) for base in plan.bases)):
        whole = transfer.manifest_name(part.whole, list(cache.members(part).values()))
        if part.whole and whole in there:
            done = list(_whole(remote, whole, emit, part))
            yield from done
            if all(one.state in HAD for one in done):
                return
    for server, one in sorted(plan.chains.items()):
        begin = plan.begins.get(server)
        yield from _deepest(remote, plan, one, begin.place if begin else 0, there, emit)


def everything(remote: Remote, emit: Emit) -> Iterator[Transfer]:
    """Every layer that is there and not here, sets as a whole."""
    named = {name: found for name in sorted(remote.names()) if (found := transfer.NAME.fullmatch(name))}
    for name, found in named.items():
        if found["form"] == SET:
            yield from _whole(remote, name, emit)
        elif not found["cut"]:
            yield _alone(remote, name, emit)


def _with_bases(plan: Plan) -> Plan:
    """The plan as it is once the images are here on which its layers lie: which layers fit is told by them."""
    for server, one in plan.chains.items():
        store = LAYERS.get(one.where) if one.where else None
        service = plan.stack.services[server]
        image = plan.definition.request.images.get(server) or service.image
        if isinstance(store, Bases) and image and not service.build:
            with suppress(EnvironmentFailed):  # a run needs it too, and will tell
                store.fetch(image)
    return cache.begin(plan.full) if plan.full else plan


def _deepest(remote: Remote, plan: Plan, one: Chain, at: int, there: set[str], emit: Emit) -> Iterator[Transfer]:
    """From the end of the chain down to where it begins already, until one is had."""
    for state in reversed(one.states[at:]):
        if one.key(state) in there:
            done = _alone(remote, one.key(state), emit, plan)
            yield done
            if done.state in HAD:
                return
    if at:
        layer = plan.begins[one.server].layer
        yield Transfer(layer.key, transfer.whose(layer.facts), "there")


# -- one layer --------------------------------------------------------------------------------------------------------


def _alone(remote: Remote, name: str, emit: Emit, plan: Plan | None = None) -> Transfer:
    parcel = _parcel(remote, name, plan)
    if isinstance(parcel, Transfer):
        return parcel
    with ExitStack() as held, transfer.bench() as bench:
        cache.hold(parcel.layer.id, held, emit)
        here = _here(parcel.layer)
        if here and (plan is None or cache.fits(plan, here)):
            return Transfer(parcel.layer.key, parcel.of, "there")
        return _fetch(remote, parcel, bench) or _keep(parcel, bench) or _moved(parcel)


def _parcel(remote: Remote, name: str, plan: Plan | None) -> Parcel | Transfer:
    """What is told of it there; or that it is left out, and why."""
    given = remote.told(name)
    if given is None:
        return _left_out(name, "-", "half of it is missing there: what is told of it")
    parcel = transfer.read(name, given)
    if parcel is None:
        return _left_out(name, "-", "what is told of it is not understood", "take the seeder that pushed it, or a newer one")
    if plan and not cache.fits(plan, parcel.layer):
        why = Problem(transfer.shown(name), "was made with other passwords than the stack has here", "runs make their own")
        return Transfer(parcel.layer.key, parcel.of, "unfit", why=why)
    return parcel


def _fetch(remote: Remote, parcel: Parcel, bench: Path) -> Transfer | None:
    """None once its pack is here; nothing is unpacked before all of it was looked at."""
    path, wanted = bench / parcel.name, parcel.seal
    if not remote.get(parcel.name, wanted.sha256, path):
        return _left_out(parcel.name, parcel.of, "half of it is missing there: its pack")
    got = pack.seal(path)
    if got.length != wanted.length:
        return _left_out(parcel.name, parcel.of, f"its pack has {got.length} bytes of {wanted.length}")
    return None if got == wanted else _left_out(parcel.name, parcel.of, "its pack is not what was pushed: its SHA-256 is another")


def _keep(parcel: Parcel, bench: Path) -> Transfer | None:
    """None once it is kept here."""
    try:
        store = LAYERS.get(parcel.layer.where)
        if not isinstance(store, Packs):
            return _left_out(parcel.name, parcel.of, f"the layer store {store.name} takes nothing", "leave it there")
        store.unpack(parcel.layer, bench / parcel.name)
    except SeederError as error:
        return _left_out(parcel.name, parcel.of, f"cannot be unpacked: {error.problems[0].cause}", error.problems[0].remedy)
    return None


def _here(layer: Layer) -> Layer | None:
    with suppress(SeederError):
        return LAYERS.get(layer.where).find([layer.key]).get(layer.key)
    return None


def _left_out(name: str, of: str, cause: str, remedy: str = AGAIN) -> Transfer:
    return Transfer(name, of, "left out", why=Problem(transfer.shown(name), cause, remedy))


def _moved(parcel: Parcel) -> Transfer:
    return Transfer(parcel.layer.key, parcel.of, "moved", parcel.seal.length)


# -- sets -------------------------------------------------------------------------------------------------------------


def _whole(remote: Remote, name: str, emit: Emit, plan: Plan | None = None) -> Iterator[Transfer]:
    """All of a set or nothing: its packs are had first, members are kept next, the manifest last."""
    manifest = _parcel(remote, name, None)
    if isinstance(manifest, Transfer):
        yield manifest
        return
    with ExitStack() as held, transfer.bench() as bench:
        cache.hold(manifest.layer.id, held, emit)
        keys = {*manifest.members, manifest.layer.key}
        if {layer.key for layer in room.every() if layer.key in keys and (plan is None or cache.fits(plan, layer))} == keys:
            yield from (Transfer(one, manifest.of, "there") for one in sorted(keys))
            return
        found = [_member(remote, manifest, one, bench, plan) for one in sorted(manifest.members)]
        parcels = [*(one for one in found if isinstance(one, Parcel)), manifest]
        bad = [one for one in (*found, _fetch(remote, manifest, bench)) if isinstance(one, Transfer)]
        bad = bad or _keep_all(manifest.layer.id, parcels, bench)
    if bad:
        yield from bad
        cause = f"the set is not there as a whole: {len(bad)} of its {len(found)} layers cannot be had"
        yield Transfer(name, manifest.of, bad[0].state, why=Problem(transfer.shown(name), cause, AGAIN))
    else:
        yield from map(_moved, parcels)


def _member(remote: Remote, manifest: Parcel, member: str, bench: Path, plan: Plan | None) -> Parcel | Transfer:
    """One member, its pack in `bench`."""
    parcel = _parcel(remote, transfer.member_name(member, manifest.members), plan)
    if isinstance(parcel, Transfer):
        return parcel
    if parcel.seal.sha256 != manifest.members[member]:
        return _left_out(parcel.name, parcel.of, "it is not what its set was made of")
    return _fetch(remote, parcel, bench) or parcel


def _keep_all(whole: str, parcels: list[Parcel], bench: Path) -> list[Transfer]:
    """What is here of another cut goes before, wherever it is, and what was kept of this one when the rest of it cannot be."""
    room.forget(whole, ())
    for one in parcels:
        if bad := _keep(one, bench):
            room.forget(whole, ())
            return [bad]
    return []
