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
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from seeder.docker_engine.api import Daemon
from seeder.docker_engine.endpoint import Endpoint, endpoint
from seeder.errors import EnvironmentFailed
from seeder.machine import home
from seeder.machine.pack import into_archive, of_archive
from seeder.passed.layer import DATA, Layer, key
from seeder.passed.run import EXPIRES, RUN

REPOSITORY = "seeder-layer"
ID, FORM, SIZE, FACTS = "dev.seeder.layer", "dev.seeder.layer.form", "dev.seeder.layer.size", "dev.seeder.layer.facts"
CACHE, DEPTH = "dev.seeder.layer.cache", "dev.seeder.layer.depth"
BASE = "image"  # among what is told of a pack: the name of the image on which the layer lies
PLACE_TIME = datetime.timedelta(hours=1)
DEEPEST = 60  # images below one on which another is put; engines take some 125


class Images:
    name = "image"

    def __init__(self) -> None:
        self._daemons: dict[Endpoint, Daemon] = {}

    @property
    def _daemon(self) -> Daemon:
        return self._daemons.setdefault(at := endpoint(), Daemon(at))

    def find(self, keys: Collection[str]) -> dict[str, Layer]:
        return {layer.key: layer for layer in self._among(set(keys).__contains__)}

    def every(self) -> Iterator[Layer]:
        return self._among(lambda _: True)

    def _among(self, wanted: Callable[[str], bool]) -> Iterator[Layer]:
        """Those with such a key; what others say of themselves is not read."""
        own = home.name()
        for tag, labels, created in self._daemon.tagged(REPOSITORY):
            if labels.get(ID) and labels.get(FORM) and wanted(key(labels[ID], labels[FORM])):
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
        known = {SIZE: own, CACHE: home.name(), DEPTH: str(daemon.depth(source) + 1), FACTS: json.dumps(dict(facts), ensure_ascii=False)}
        daemon.remove("image", f"{REPOSITORY}:{key(state, form)}")
        daemon.commit(source, REPOSITORY, key(state, form), {ID: state, FORM: form, **known})
        kept = self.find([key(state, form)]).get(key(state, form))
        if kept is None:
            raise EnvironmentFailed("docker", f"layer {state[:12]} was committed and is not there", "is another program removing images?")
        return kept

    def pack(self, layer: Layer, pack: Path) -> Mapping[str, Any]:
        """What lies in the image below the server's own: the folder of its data. The rest of it is fetched where it is taken."""
        with self._place(layer.place) as container, tempfile.TemporaryFile(dir=pack.parent) as archive:
            self._daemon.copy_out(container, DATA, archive, layer.place)
            archive.seek(0)
            of_archive(archive, PurePosixPath(DATA).name, pack)
        return {BASE: next(iter(self._daemon.names(_base(layer.form))), "")}

    def unpack(self, layer: Layer, pack: Path) -> Layer:
        """One level above the server's image, however many the layer had where it was made."""
        image = self._known(_base(layer.form), str(layer.facts.get(BASE, "")))
        with self._place(image) as container, tempfile.TemporaryFile(dir=pack.parent) as archive:
            into_archive(pack, DATA.lstrip("/"), archive)
            archive.seek(0)
            self._daemon.unpack(container, archive, layer.form)
            return self.keep(layer.id, layer.form, container, {name: value for name, value in layer.facts.items() if name != BASE})

    def fetch(self, image: str) -> None:
        if self._daemon.image(image) is None:
            self._daemon.pull(image)

    def _known(self, base: str, name: str) -> str:
        """The very image, by its id; pulled by the name that it had where the layer was made, if need be."""
        found = self._daemon.image(base)
        if found is None and name:
            with contextlib.suppress(EnvironmentFailed):  # the remedy says how to come by it
                self._daemon.pull(name)
            found = self._daemon.image(base)
        if found is None:
            remedy = f"pull the {name} of that id, or have the layer made here by a run" if name else "have the layer made here by a run"
            raise EnvironmentFailed(name or base, f"the image {base} on which it lies is not at the docker engine", remedy)
        return found.id

    @contextmanager
    def _place(self, image: str) -> Iterator[str]:
        """A container for the time being. It carries an owner that nobody is, so that what a killed process leaves goes once its time is
        up, as everything does that expired."""
        owner, until = secrets.token_hex(8), datetime.datetime.now(datetime.UTC) + PLACE_TIME
        with ExitStack() as undo:
            undo.callback(self._clear, f"{RUN}={owner}")
            yield self._daemon.place(image, {RUN: owner, EXPIRES: until.isoformat()})

    def _clear(self, label: str) -> None:
        for container in self._daemon.labelled("container", label):
            self._daemon.remove("container", container)

    def use(self, layer: Layer) -> None:
        path = _use_file(layer.key)
        with contextlib.suppress(OSError):
            path.touch()
            os.utime(path)

    def remove(self, layer: Layer) -> None:
        self._daemon.remove("image", layer.place)
        _use_file(layer.key).unlink(missing_ok=True)

    def strays(self) -> dict[str, datetime.datetime]:
        """Whose name went while a container used them, or has moved on, whichever cache they are of: the label tells what they were."""
        found = self._daemon.nameless(ID)
        free = found.keys() - self._daemon.images_in_use() if found else ()
        return {image: datetime.datetime.fromtimestamp(found[image], datetime.UTC) for image in free}

    def forget(self, stray: str) -> None:
        self._daemon.let_go(stray)


def _base(form: str) -> str:
    """The beginning of the id of the image that a form is on top of."""
    return form.rpartition("-")[2]


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
