"""Layers to a remote, so that other machines begin where this one did: what is here and not there, a set only whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed, Problem
from seeder.evidence import redact
from seeder.machine import pack
from seeder.machine.pack import Seal
from seeder.passed.layer import SET, Layer, key
from seeder.passed.operation import Plan
from seeder.protocols import Packs, Remote, Shrinks
from seeder.registry import LAYERS
from seeder.reuse import cache, transfer
from seeder.reuse.transfer import Transfer


def of_plan(plan: Plan) -> list[Layer]:
    """The layers of the plan's states that are here; of its set only if all of it is."""
    rest = _found((one.where, one.key(state)) for one in plan.chains.values() for state in one.states)
    members = [(plan.chains[server].where, name) for server, name in cache.members(plan).items()]
    parts = [*members, ("directory", key(plan.whole, SET))] if plan.whole else []
    whole = _found(parts)
    return rest + (whole if len(whole) == len(parts) else [])


def _found(wanted: Iterable[tuple[str, str]]) -> list[Layer]:
    by_store: dict[str, list[str]] = {}
    for where, name in wanted:
        if where:
            by_store.setdefault(where, []).append(name)
    return [layer for where, names in sorted(by_store.items()) for layer in LAYERS.get(where).find(names).values()]


def push(remote: Remote, layers: Iterable[Layer], *, again: bool = False) -> Iterator[Transfer]:
    """Send them one after the other, also what is there if `again`. What cannot be read here is left out; that the remote cannot be
    written to is raised."""
    there = set[str]() if again else remote.names()
    sets: dict[str, list[Layer]] = {}
    for layer in sorted(layers, key=lambda layer: layer.key):
        if whole := layer.facts.get("set"):
            sets.setdefault(str(whole), []).append(layer)
        else:
            yield _there(remote, layer, layer.key) if layer.key in there else _alone(remote, layer)
    for _, parts in sorted(sets.items()):
        yield from _whole(remote, parts, there)


def _alone(remote: Remote, layer: Layer) -> Transfer:
    with transfer.bench() as bench:
        packed = _packed(layer, bench)
        return packed if isinstance(packed, Transfer) else _send(remote, layer.key, layer, packed, bench)


def _whole(remote: Remote, parts: Collection[Layer], there: Collection[str]) -> Iterator[Transfer]:
    """Members, then the manifest that says which they are. Without a manifest here it is no set, and nobody could begin at it."""
    manifest = next((layer for layer in parts if layer.form == SET), None)
    members = [layer for layer in parts if layer.form != SET]
    if manifest is None:
        return
    if (results := manifest.facts.get("results", {})) != (open_ := redact.unhidden(results)):
        named = ", ".join(sorted(results.keys() - open_.keys()))
        cause = f"what {named} made holds what is named like a secret, and would travel in plain text"
        why = Problem(transfer.shown(manifest.key), cause, "have the capability leave that out of what it answers")
        yield Transfer(manifest.key, transfer.whose(manifest.facts), "left out", why=why)
        return
    name = transfer.manifest_name(manifest.id, [layer.key for layer in members])
    if name in there:
        yield from (_there(remote, layer, name) for layer in parts)  # a set is used as a whole
        return
    with transfer.bench() as bench:
        packed = [(layer, _packed(layer, bench)) for layer in (*members, manifest)]
        ready = [(layer, done) for layer, done in packed if not isinstance(done, Transfer)]
        if len(ready) < len(packed):
            yield from (done for _, done in packed if isinstance(done, Transfer))
            return
        cut = {layer.key: seal.sha256 for layer, (seal, _) in ready if layer.form != SET}
        for layer, done in ready:
            last = layer.form == SET
            at = name if last else transfer.member_name(layer.key, cut)
            yield _send(remote, at, layer, done, bench, cut if last else transfer.NOBODY)


def _there(remote: Remote, layer: Layer, name: str) -> Transfer:
    if isinstance(remote, Shrinks):
        remote.used(name)
    return Transfer(layer.key, transfer.whose(layer.facts), "there")


def _packed(layer: Layer, bench: Path) -> tuple[Seal, Mapping[str, Any]] | Transfer:
    """Its pack's seal, and what who takes it has to know beside its facts; or that it is left out, and why."""
    store = LAYERS.get(layer.where)
    if not isinstance(store, Packs):
        return _left_out(layer, f"the layer store {store.name} hands over nothing")
    try:
        facts = store.pack(layer, bench / layer.key)
        return pack.seal(bench / layer.key), facts
    except EnvironmentFailed as error:
        return _left_out(layer, error.problems[0].cause, error.problems[0].remedy)
    except OSError as error:
        return _left_out(layer, str(error.strerror or error))


def _left_out(layer: Layer, cause: str, remedy: str = "") -> Transfer:
    why = Problem(transfer.shown(layer.key), f"cannot be packed: {cause}", remedy or "was it removed meanwhile? Push again")
    return Transfer(layer.key, transfer.whose(layer.facts), "left out", why=why)


def _send(
    remote: Remote,
    name: str,
    layer: Layer,
    packed: tuple[Seal, Mapping[str, Any]],
    bench: Path,
    members: Mapping[str, str] = transfer.NOBODY,
) -> Transfer:
    seal, facts = packed
    remote.put(name, bench / layer.key, transfer.told(layer, seal, facts, members))
    return Transfer(layer.key, transfer.whose(layer.facts), "moved", seal.length)
