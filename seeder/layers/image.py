"""Layers as images of the Docker engine: a cleanly stopped server's container, committed under a tag that is the layer's key.

The tag is set by the engine as the last act of a commit. What is known of a layer stands in labels; no run stands in any of them, but
the cache that it was made from does: an engine may be everybody's, and each cache makes room among its own alone.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from seeder import home, whole
from seeder.docker_api import Daemon
from seeder.docker_endpoint import Endpoint, endpoint
from seeder.errors import EnvironmentFailed
from seeder.layer import Layer, key

REPOSITORY = "seeder-layer"
ID, FORM, SIZE, FACTS = "dev.seeder.layer", "dev.seeder.layer.form", "dev.seeder.layer.size", "dev.seeder.layer.facts"
CACHE, DEPTH = "dev.seeder.layer.cache", "dev.seeder.layer.depth"
DEEPEST = 60  # images below one on which another is put; engines take some 125


class Images:
    name = "image"

    def __init__(self) -> None:
        self._daemons: dict[Endpoint, Daemon] = {}

    @property
    def _daemon(self) -> Daemon:
        return self._daemons.setdefault(at := endpoint(), Daemon(at))

    def find(self, keys: Collection[str]) -> dict[str, Layer]:
        wanted = set(keys)
        return {layer.key: layer for layer in self.every() if layer.key in wanted}

    def every(self) -> Iterator[Layer]:
        own = _name()
        for tag, labels, created in self._daemon.tagged(REPOSITORY):
            if labels.get(ID) and labels.get(FORM):
                made = datetime.datetime.fromtimestamp(created, datetime.UTC)
                yield Layer(
                    labels[ID],
                    labels[FORM],
                    tag,
                    int(labels.get(SIZE) or 0),
                    made,
                    _used(key(labels[ID], labels[FORM])) or made,
                    _facts(labels),
                    self.name,
                    own=labels.get(CACHE) == own,
                    deep=int(labels.get(DEPTH) or 0) > DEEPEST,
                )

    def keep(self, state: str, form: str, source: str, facts: Mapping[str, Any]) -> Layer:
        """Commit the container `source`, which has stopped. One that is there does not fit, or it would not be made again: it goes
        before, else it would stay without a name."""
        daemon = self._daemon
        own = "0"  # what lies below is shared with the image that the server began with
        with contextlib.suppress(EnvironmentFailed):  # an engine under load takes too long to count
            own = str(daemon.written(source))
        known = {SIZE: own, CACHE: _name(), DEPTH: str(daemon.depth(source) + 1), FACTS: json.dumps(dict(facts), ensure_ascii=False)}
        daemon.remove("image", f"{REPOSITORY}:{key(state, form)}")
        daemon.commit(source, REPOSITORY, key(state, form), {ID: state, FORM: form, **known})
        kept = self.find([key(state, form)]).get(key(state, form))
        if kept is None:
            raise EnvironmentFailed("docker", f"layer {state[:12]} was committed and is not there", "is another program removing images?")
        return kept

    def use(self, layer: Layer) -> None:
        path = _use_file(layer.key)
        with contextlib.suppress(OSError):
            path.touch()
            os.utime(path)

    def remove(self, layer: Layer) -> None:
        self._daemon.remove("image", layer.place)
        _use_file(layer.key).unlink(missing_ok=True)


def _name() -> str:
    """What this cache is called among all that use the engine."""
    path = home.cache() / "name"
    if not path.exists():
        whole.write(path, secrets.token_hex(8))
    return path.read_text(encoding="utf-8")


def _use_file(name: str) -> Path:
    folder = home.cache() / "used"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name


def _used(name: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(_use_file(name).stat().st_mtime, datetime.UTC)
    except OSError:
        return None


def _facts(labels: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(labels.get(FACTS) or "{}")
    except ValueError:
        return {}
    return found
