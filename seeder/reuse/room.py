"""Room for layers: which are here, which of them runs use, and what goes when there are too many."""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seeder import home, whole
from seeder.errors import SeederError
from seeder.layer import SET, Layer
from seeder.registry import LAYERS

LIMIT = 5_000_000_000  # bytes that runs leave in the cache; what was not used for longest goes
USES = "layers.json"  # in a run's folder: at which layers it began
FORGOTTEN = 24 * 3600.0  # seconds after which the lock of a state that nobody builds is removed


@contextmanager
def still() -> Iterator[None]:
    """Meanwhile nobody else removes layers of this cache or begins to use one."""
    import filelock

    with filelock.FileLock(home.cache() / "layers.lock", mode=0o600):
        yield


def locks() -> Path:
    """The folder of locks, one for each state that is being built."""
    folder = home.cache() / "building"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


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
    whole.write(folder / USES, json.dumps([layer.key for layer in layers]))


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


def excess(limit: int, before: datetime.datetime | None = None, *, own: bool = False) -> list[Layer]:
    """What is beyond `limit` bytes, what was used last being kept first, and what was not used since `before`. Sets go as a whole;
    what a run uses stays. `own`: only what this cache made is looked at; what others use of theirs cannot be known from here."""
    groups: dict[str, list[Layer]] = {}
    for layer in (layer for layer in every() if layer.own or not own):
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
        with contextlib.suppress(SeederError):
            LAYERS.get(layer.where).remove(layer)


def prune(limit: int, before: datetime.datetime | None = None, *, own: bool = False) -> list[Layer]:
    """Remove what `excess` answers; no run begins at it meanwhile."""
    with still():
        gone = excess(limit, before, own=own)
        remove(gone)
        _forget_locks()
    return gone


def _forget_locks() -> None:
    import filelock

    for path in locks().glob("*.lock"):
        with contextlib.suppress(OSError, filelock.Timeout):
            if time.time() - path.stat().st_mtime > FORGOTTEN:
                with filelock.FileLock(path).acquire(timeout=0):
                    path.unlink()
