"""Room for layers: which are here, which of them runs use, and what goes when there are too many."""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from seeder.errors import SeederError
from seeder.machine import atomic, home
from seeder.machine.lock import free, locked
from seeder.passed.layer import SET, Layer
from seeder.protocols import Builds, Strays
from seeder.registry import LAYERS, RUNTIMES

LIMIT = 5_000_000_000  # bytes that runs leave in the cache; what was not used for longest goes
USES = "layers.json"  # in a run's folder: at which layers it began
STALE = datetime.timedelta(days=7)  # for which nothing was made of what was built for services: it goes
BUILDING = datetime.timedelta(hours=1)  # in which a run may have had something built and made nothing of it yet
STILL_SECONDS = 600.0  # longer than anybody takes to remove layers
FORGOTTEN = 24 * 3600.0  # seconds after which the lock of what nobody builds is removed


@contextmanager
def still() -> Iterator[None]:
    """Meanwhile nobody else removes layers of this cache or begins to use one. Raises EnvironmentFailed when others take too long."""
    remedy = "does another seeder hang (`seeder ls`)? Or use --no-cache"
    with locked(home.cache() / "layers.lock", "layers", "another seeder removes layers", within=STILL_SECONDS, remedy=remedy):
        yield


def every(stores: Iterable[str] = ()) -> list[Layer]:
    """Every layer of these layer stores that can be reached now; of all of them when none is said."""
    found: list[Layer] = []
    for name in stores or LAYERS.names():
        with contextlib.suppress(SeederError):  # without a Docker engine there are no images of one
            found += LAYERS.get(name).every()
    return found


def has(layers: Collection[Layer]) -> bool:
    """Whether all of them are still there."""
    by_store = {name: [layer.key for layer in layers if layer.where == name] for name in {layer.where for layer in layers}}
    return all(len(LAYERS.get(name).find(keys)) == len(set(keys)) for name, keys in by_store.items())


def use(layers: Collection[Layer], folder: Path) -> None:
    """Write into a run's folder which layers it begins at, so that they stay as long as it."""
    for layer in layers:
        LAYERS.get(layer.where).use(layer)
    atomic.write(folder / USES, json.dumps([layer.key for layer in layers]))


def in_use() -> set[str]:
    """Keys of the layers at which runs began that are here."""
    found: set[str] = set()
    for path in home.runs().glob(f"[!.]*/{USES}"):
        with contextlib.suppress(OSError, ValueError):
            found |= set(json.loads(path.read_text(encoding="utf-8")))
    return found


def forget(cut: str, stores: Iterable[str]) -> None:
    """Remove what these layer stores have of a set."""
    remove(layer for layer in every(stores) if layer.facts.get("set") == cut)


def excess(limit: int, before: datetime.datetime | None = None, *, own: bool = False, of: Mapping[str, str] | None = None) -> list[Layer]:
    """What is beyond `limit` bytes, what was used last being kept first, and what was not used since `before`. Sets go as a whole;
    what a run uses stays. `own`: only what this cache made is looked at; what others use of theirs cannot be known from here. `of`:
    only what these facts are told of, a project's or a stack's."""
    return beyond((layer for layer in every() if layer.own or not own), limit, before, of=of, busy=in_use())


def beyond(
    layers: Iterable[Layer],
    limit: int,
    before: datetime.datetime | None = None,
    *,
    of: Mapping[str, str] | None = None,
    busy: Collection[str] = (),
) -> list[Layer]:
    """The same of these layers, wherever they are. Pure."""
    groups: dict[str, list[Layer]] = {}
    wanted = (of or {}).items()
    for layer in (layer for layer in layers if wanted <= layer.facts.items()):
        groups.setdefault(str(layer.facts.get("set") or layer.key), []).append(layer)
    held, gone = 0, list[Layer]()
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
        with contextlib.suppress(SeederError):
            LAYERS.get(layer.where).remove(layer)


def prune(limit: int, before: datetime.datetime | None = None, *, own: bool = False, of: Mapping[str, str] | None = None) -> list[Layer]:
    """Remove what `excess` answers; no run begins at it meanwhile."""
    with still():
        gone = excess(limit, before, own=own, of=of)
        remove(gone)
        _forget_locks()
    return gone


def stale(older: datetime.timedelta = STALE) -> datetime.datetime:
    """Since when what was built must have been used to stay."""
    return datetime.datetime.now(datetime.UTC) - max(older, BUILDING)


def built(before: datetime.datetime) -> dict[str, Builds]:
    """What was built for services of this cache's runs, that nothing is made of now, and that no run used since `before`."""
    found: dict[str, Builds] = {}
    for runtime in map(RUNTIMES.get, RUNTIMES.names()):
        with contextlib.suppress(SeederError):  # no Docker engine, no images
            if isinstance(runtime, Builds):
                found |= {image: runtime for image, used in runtime.built().items() if used < before}
    return found


def forget_built(before: datetime.datetime) -> list[str]:
    """Remove what `built` answers; one that a run has begun to use meanwhile stays."""
    return _forgotten(built(before))


def strays() -> dict[str, Strays]:
    """What was a layer and can be found by no run any more, with the layer store where it lies; not what may just be in the making."""
    found: dict[str, Strays] = {}
    for store in map(LAYERS.get, LAYERS.names()):
        with contextlib.suppress(SeederError):  # no Docker engine, no images
            if isinstance(store, Strays):
                found |= {name: store for name, made in store.strays().items() if made < stale(datetime.timedelta())}
    return found


def forget_strays() -> list[str]:
    """Remove them; one that something was made of meanwhile stays."""
    return _forgotten(strays())


def _forgotten(found: Mapping[str, Builds | Strays]) -> list[str]:
    """Those that could be removed."""
    gone: list[str] = []
    for name, whose in found.items():
        with contextlib.suppress(SeederError):
            whose.forget(name)
            gone.append(name)
    return gone


def _forget_locks() -> None:
    for path in home.locks().glob("*.lock"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > FORGOTTEN:
                with free(path) as ours:
                    if ours:
                        path.unlink()
