"""What is mounted into a service: volumes, tmpfs, configs, secrets."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from seeder.definition import compose_resources
from seeder.definition.marked import Map
from seeder.definition.service import Mount

_FOLDERS: dict[Literal["config", "secret"], str] = {"config": "/", "secret": "/run/secrets/"}


def mounts(raw: Map, model: Map, variables: Mapping[str, str]) -> Iterator[Mount]:
    """Every mount of the service, in the order volumes, tmpfs, configs, secrets."""
    for volume in raw.get("volumes", ()):
        named = volume["type"] == "volume" and volume.get("source")
        if named and (device := compose_resources.volume(model, named).device):
            yield Mount("bind", _inside(volume["target"]), device, volume["read_only"])
        elif volume["type"] in ("bind", "volume", "tmpfs"):
            yield Mount(volume["type"], _inside(volume["target"]), volume.get("source") or None, volume["read_only"])
    for entry in raw.get("tmpfs", ()):
        yield Mount("tmpfs", _inside(entry.partition(":")[0]))
    for kind in _FOLDERS:
        for entry in raw.get(f"{kind}s", ()):
            yield _file(kind, entry, model.get(f"{kind}s", {}).get(entry.get("source")) or {}, variables)


def _file(kind: Literal["config", "secret"], entry: Map, resource: Mapping[str, Any], variables: Mapping[str, str]) -> Mount:
    target = entry.get("target") or entry.get("source") or ""
    if not target.startswith("/"):
        target = _FOLDERS[kind] + target
    content = resource.get("content")
    if resource.get("environment"):
        content = variables.get(resource["environment"], "")
    rights = tuple(key for key in ("uid", "gid", "mode") if entry.get(key) is not None)
    return Mount(kind, _inside(target), resource.get("file"), read_only=True, content=content, rights=rights)


def _inside(target: str) -> str:
    """The absolute path that a container sees: above its root there is nothing, so that `/../../etc` is `/etc`."""
    return posixpath.normpath(f"/{target.lstrip('/')}")
