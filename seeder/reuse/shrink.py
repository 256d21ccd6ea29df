"""A remote that keeps growing is made smaller: what was not used for longest goes, as here (room.py)."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping

from seeder.errors import UsageError
from seeder.passed.layer import SET, Layer
from seeder.protocols import Remote, Shrinks
from seeder.reuse import room, transfer


def excess(remote: Remote, limit: int, before: datetime.datetime | None, of: Mapping[str, str]) -> list[Layer]:
    """What is beyond `limit` bytes there, or was not used since `before`; `of`: only of what these facts are told. A layer's place is its
    name there, its size that of its pack. Raises UsageError for a remote that has rules of its own for that."""
    return room.beyond(_layers(remote, _shrinking(remote)), limit, before, of=of)


def prune(remote: Remote, limit: int, before: datetime.datetime | None, of: Mapping[str, str]) -> list[Layer]:
    """Remove what `excess` answers, manifests of sets first, and what others never finished."""
    able, gone = _shrinking(remote), excess(remote, limit, before, of)
    for layer in sorted(gone, key=lambda layer: layer.form != SET):
        able.remove(layer.place)
    able.sweep()
    return gone


def _layers(remote: Remote, able: Shrinks) -> Iterator[Layer]:
    for name, used in sorted(able.held().items()):
        parcel = transfer.read(name, remote.told(name) or {})
        if parcel:  # what is not understood belongs to another seeder
            yield dataclasses.replace(parcel.layer, place=name, used=used, size=parcel.seal.length)


def _shrinking(remote: Remote) -> Shrinks:
    if not isinstance(remote, Shrinks):
        raise UsageError("--remote", "only a folder is pruned here", "a bucket or a registry removes by rules of its own: set them there")
    return remote
