"""The resolved compose model, made the run's own: names, labels, networks, restart policies, environment. Pure.

A model is what `docker compose config --format json` answers, with `$$` already read as `$`. Mounts are edited by
`_docker_mounts`, ports by `_docker_ports`.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from seeder.definition.stack import Stack
from seeder.errors import DefinitionError
from seeder.frozen import frozen
from seeder.passed.run import NO_ADDITIONS, Addition

Model = dict[str, Any]
PUBLISHED = "published"  # begins the name of a network through which a service of internal networks is reached from the host


@frozen
class Terms:
    """What a run asks of the model."""

    project: str
    labels: Mapping[str, str]
    told: Mapping[str, str]  # variables of every service that is no store
    folder: Path  # the run's own
    images: Mapping[str, str]  # service -> the image it runs
    volumes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # service -> where its image declares volumes
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # server -> where its engine keeps state
    additions: Mapping[str, Addition] = field(default_factory=lambda: NO_ADDITIONS)
    variables: Mapping[str, str] = field(default_factory=dict)  # what `environment` secrets and configs are taken from
    isolate_binds: bool = False
    remote: bool = False
    moved: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # server -> variables that keep its state out of volumes


def unescaped(value: Any) -> Any:
    """The model as it is meant: compose writes every `$` twice."""
    return _each_text(value, lambda text: text.replace("$$", "$"))


def escaped(value: Any) -> Any:
    """The model as compose reads it back: nothing in it is a variable."""
    return _each_text(value, lambda text: text.replace("$", "$$"))


def _each_text(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return {key: _each_text(item, change) for key, item in value.items()} if isinstance(value, dict) else value


def reduced(model: Model, stack: Stack) -> Model:
    """A copy with the stack's services alone, without edges to those that are not part of the run."""
    result = copy.deepcopy(model)
    result["services"] = {name: service for name, service in model["services"].items() if name in stack.services}
    result["services"] = copy.deepcopy(result["services"])
    holders = {s["container_name"]: name for name, s in result["services"].items() if s.get("container_name")}
    for name, service in result["services"].items():
        _drop_edges(service, result["services"])
        _follow_names(name, service, holders, result["services"])
    return result


def _drop_edges(service: Model, kept: Collection[str]) -> None:
    if isinstance(service.get("depends_on"), dict):
        service["depends_on"] = {name: edge for name, edge in service["depends_on"].items() if name in kept}
    for key in ("links", "volumes_from"):
        if key in service:
            service[key] = [edge for edge in service[key] if edge.startswith("container:") or edge.partition(":")[0] in kept]


def _follow_names(name: str, service: Model, holders: Mapping[str, str], kept: Collection[str]) -> None:
    """What names a container of the stack means its service; a container or service outside the run cannot be used."""
    for key in ("network_mode", "pid", "ipc"):
        what, _, other = str(service.get(key) or "").partition(":")
        if what == "container" and other in holders:
            service[key] = f"service:{holders[other]}"
        elif (what == "container" and other) or (what == "service" and other not in kept):
            raise DefinitionError(name, f"{key}: {service[key]} is not part of the run", f"put {other} into the stack")
    service["volumes_from"] = [_service_of(edge, holders) for edge in service.get("volumes_from") or []]
    for edge in service["volumes_from"]:
        if edge.startswith("container:"):
            raise DefinitionError(name, f"volumes_from: {edge} is not part of the run", "put that container into the stack")
    if service.get("external_links"):
        raise DefinitionError(name, "external_links lead out of the run", "put those containers into the stack")


def _service_of(edge: str, holders: Mapping[str, str]) -> str:
    parts = edge.split(":")
    if parts[0] != "container" or len(parts) < 2 or parts[1] not in holders:  # noqa: PLR2004
        return edge
    return ":".join([holders[parts[1]], *parts[2:]])


def own(model: Model, stack: Stack, terms: Terms) -> None:
    """Edit a reduced model in place. What cannot be kept as it was written, the survey has told before."""
    model["name"] = terms.project
    for name, service in model["services"].items():
        _own_service(name, service, terms)
        service["environment"] = _environment(name, service.get("environment") or {}, stack, terms)
    _own_networks(model, terms)
    for kind in ("secrets", "configs"):
        for key, entry in (model.get(kind) or {}).items():
            entry["name"] = f"{terms.project}_{key}"


def _own_service(name: str, service: Model, terms: Terms) -> None:
    """seeder decides when a container starts, when it is ready, and that it stays dead when it dies."""
    alias = service.pop("container_name", None)
    if alias and service.get("networks"):
        service["networks"] = {key: _with_alias(endpoint, alias) for key, endpoint in service["networks"].items()}
    for key in ("replicas", "restart_policy"):
        (service.get("deploy") or {}).pop(key, None)
    service["restart"] = "no"
    service["image"] = terms.images[name]
    service["healthcheck"] = {"disable": True}
    service["labels"] = {**(service.get("labels") or {}), **terms.labels}
    for key in ("build", "profiles", "pull_policy", "logging", "develop", "scale"):
        service.pop(key, None)


def _with_alias(endpoint: Model | None, alias: str) -> Model:
    found = dict(endpoint or {})
    return {**found, "aliases": list(dict.fromkeys([*(found.get("aliases") or []), alias]))}


def _environment(name: str, written: Model, stack: Stack, terms: Terms) -> Model:
    told = {} if stack.stores_of(name) else terms.told
    added = terms.additions[name].environment if name in terms.additions else {}
    return {**written, **told, **added, **terms.moved.get(name, {})}


# -- networks ---------------------------------------------------------------------------------------------------------


def _own_networks(model: Model, terms: Terms) -> None:
    networks: Model = model.setdefault("networks", {})
    for key, network in networks.items():
        for special in ("external", "ipam"):
            network.pop(special, None)
        network |= {"name": f"{terms.project}_{key}", "labels": {**(network.get("labels") or {}), **terms.labels}}
        (network.get("driver_opts") or {}).pop("com.docker.network.bridge.name", None)
    for service in model["services"].values():
        for endpoint in (service.get("networks") or {}).values():
            for fixed in ("ipv4_address", "ipv6_address", "link_local_ips"):
                (endpoint or {}).pop(fixed, None)
    _open_internal(model, terms)
    used = {key for service in model["services"].values() for key in service.get("networks") or {}}
    model["networks"] = {key: network for key, network in networks.items() if key in used}


def _open_internal(model: Model, terms: Terms) -> None:
    """Docker publishes no port of a container that has internal networks alone. Such a service also gets a network of its
    own, without a way out (no masquerading): it carries published ports and nothing else. It is not shared, since names
    would be looked up there first."""
    networks = model["networks"]
    for name, service in model["services"].items():
        joined = service.get("networks") or {}
        if joined and all((networks[key] or {}).get("internal") for key in joined):
            key = f"{PUBLISHED}-{name}"
            options = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
            networks[key] = {"name": f"{terms.project}_{key}", "driver_opts": options, "labels": dict(terms.labels)}
            service["networks"] = {**joined, key: None}
