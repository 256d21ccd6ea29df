"""Networks and volumes of the merged model, as far as the services that take part use them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from seeder.definition.marked import List, Map
from seeder.definition.service import Network, Volume


def networks(model: Map, services: Collection[str]) -> dict[str, Network]:
    """By key; `default` is one of them where a service names none."""
    used = {key for name in services for key in _joined(model["services"][name])}
    return {key: _network(model.get("networks", {}).get(key) or {}) for key in sorted(used)}


def volumes(model: Map, services: Collection[str]) -> dict[str, Volume]:
    """By key."""
    mounts = [mount for name in services for mount in model["services"][name].get("volumes", ())]
    used = {mount["source"] for mount in mounts if mount["type"] == "volume" and mount.get("source")}
    return {key: volume(model, key) for key in sorted(used)}


def volume(model: Map, key: str) -> Volume:
    raw = model.get("volumes", {}).get(key) or {}
    options = {name: str(value) for name, value in _mapping(raw.get("driver_opts")).items()}
    return Volume(_is_external(raw.get("external")), raw.get("driver"), options)


def _joined(raw: Map) -> Collection[str]:
    return raw["networks"] if "networks" in raw else () if raw.get("network_mode") else ("default",)


def _network(raw: Any) -> Network:
    written = _mapping(raw.get("ipam")).get("config")
    pools = [_mapping(pool) for pool in written] if isinstance(written, List) else []
    return Network(raw.get("name"), _is_external(raw.get("external")), tuple(str(pool["subnet"]) for pool in pools if pool.get("subnet")))


def _mapping(value: Any) -> Map | dict[str, Any]:
    """What is no mapping is compose's to refuse."""
    return value if isinstance(value, Map) else {}


def _is_external(value: Any) -> bool:
    """`external: {name: ...}` is how it was written once."""
    return isinstance(value, Map) or str(value).lower() in ("true", "yes", "y", "on", "1")
