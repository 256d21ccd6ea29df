"""Layers as folders in seeder's cache: `<key>/state` holds the bytes, `<key>/layer.json` what is known of them.

A layer's folder appears by one rename, as the last act of keeping it. The time of its layer.json is that of its last use.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.machine import home
from seeder.machine.folder import copy_folder, folder_size
from seeder.machine.pack import into_folder, of_folder
from seeder.passed.layer import Layer, key

_FACTS, _STATE = "layer.json", "state"
COPY_SECONDS = 3600.0  # longer than any copy takes


class Directory:
    name = "directory"

    def find(self, keys: Collection[str]) -> dict[str, Layer]:
        found = {wanted: _read(_root() / wanted) for wanted in keys}
        return {wanted: layer for wanted, layer in found.items() if layer}

    def every(self) -> Iterator[Layer]:
        for place in sorted(_root().glob("[!.]*/")):
            if layer := _read(place):
                yield layer

    def keep(self, state: str, form: str, source: str, facts: Mapping[str, Any]) -> Layer:
        """Copy the folder `source`."""
        return self._keep(state, form, facts, lambda place: copy_folder(Path(source), place))

    def pack(self, layer: Layer, pack: Path) -> Mapping[str, Any]:
        of_folder(Path(layer.place), pack)
        return {}

    def unpack(self, layer: Layer, pack: Path) -> Layer:
        return self._keep(layer.id, layer.form, layer.facts, lambda place: into_folder(pack, place))

    def _keep(self, state: str, form: str, facts: Mapping[str, Any], fill: Callable[[Path], None]) -> Layer:
        _forget_killed()
        draft = _root() / f".{key(state, form)}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            draft.mkdir(mode=0o700)
            (draft / _STATE).mkdir(mode=0o700)
            fill(draft / _STATE)
            made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            written = {"id": state, "form": form, "made": made, "size": folder_size(draft / _STATE), "facts": dict(facts)}
            (draft / _FACTS).touch(mode=0o600)
            (draft / _FACTS).write_text(json.dumps(written, ensure_ascii=False) + "\n", encoding="utf-8")
            _put(draft, _root() / key(state, form))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        kept = _read(_root() / key(state, form))
        if kept is None:
            raise EnvironmentFailed(str(_root()), f"layer {state[:12]} cannot be kept there", "is the folder writable?")
        return kept

    def use(self, layer: Layer) -> None:
        with contextlib.suppress(OSError):  # somebody else's cache, or pruned this instant
            os.utime(Path(layer.place).parent / _FACTS)

    def remove(self, layer: Layer) -> None:
        _forget_killed()
        _clear(Path(layer.place).parent)


def _put(draft: Path, place: Path) -> None:
    """One that is there already does not fit, or it would not be made again: it has another password, say."""
    with contextlib.suppress(OSError):
        draft.rename(place)
        return
    _clear(place)
    with contextlib.suppress(OSError):  # another seeder was first, and its layer is as good
        draft.rename(place)


def _clear(place: Path) -> None:
    """It is renamed first: nobody finds half of one."""
    gone = place.with_name(f".{place.name}.gone.{secrets.token_hex(4)}")
    with contextlib.suppress(FileNotFoundError):
        place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _forget_killed() -> None:
    """Remove what processes that were killed in the midst left half made or half removed."""
    for folder in _root().glob(".*/"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > COPY_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    root = home.cache() / "layers"
    root.mkdir(mode=0o700, exist_ok=True)
    return root


def _read(place: Path) -> Layer | None:
    try:
        path = place / _FACTS
        given = json.loads(path.read_text(encoding="utf-8"))
        made = datetime.datetime.fromisoformat(given["made"])
        used = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
        return Layer(given["id"], given["form"], str(place / _STATE), given["size"], made, used, given["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
