"""Which ports of a service are published, and under which numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seeder.definition.stack import Stack
from seeder.passed.target import Address
from seeder.runtimes._docker_model import Model
from seeder.runtimes._healthcheck import of_service

Key = tuple[str, int, str]  # service, port inside, protocol


def wanted(model: Model, stack: Stack, engine_ports: Mapping[str, int], exposed: Mapping[str, Iterable[tuple[int, str]]]) -> list[Key]:
    """Every port of every service that somebody may want from outside: written ones, those that links, engines and checks
    use, and, where there is none of these, those that the image exposes."""
    result: set[Key] = set()
    for name, service in model["services"].items():
        found = set(_written(service)) | {(link.port, "tcp") for link in stack.links if link.server == name}
        if name in engine_ports:
            found.add((engine_ports[name], "tcp"))
        found |= {(port, "tcp") for port in _checked(stack, name)}
        result |= {(name, port, protocol) for port, protocol in found or exposed.get(name, ())}
    return sorted(result)


def publishable(model: Model, keys: Iterable[Key]) -> list[Key]:
    """Those for which docker can publish a number of our choice."""
    return [key for key in keys if network_owner(model, key[0]) is not None]


def on_the_host(model: Model, keys: Iterable[Key], host: str) -> dict[tuple[str, int], Address]:
    """Services that use the host's own network are reached at their own ports."""
    return {(name, port): Address(host, port) for name, port, _ in keys if model["services"][name].get("network_mode") == "host"}


def network_owner(model: Model, name: str) -> str | None:
    """The service whose network namespace this one uses; None when it has none that ports can be published from."""
    mode = str(model["services"][name].get("network_mode") or "")
    if mode.startswith("service:"):
        return network_owner(model, mode.partition(":")[2])
    return None if mode in ("host", "none") else name


def _written(service: Model) -> Iterable[tuple[int, str]]:
    for port in service.get("ports") or []:
        yield int(port["target"]), port.get("protocol") or "tcp"
    for text in service.get("expose") or []:
        span, _, protocol = str(text).partition("/")
        first, _, last = span.partition("-")
        for port in range(int(first), int(last or first) + 1):
            yield port, protocol or "tcp"


def _checked(stack: Stack, name: str) -> Iterable[int]:
    service = stack.services[name]
    if service.x.ready:
        return [port for port in (service.x.ready.tcp, service.x.ready.port) if port]
    check = of_service(service)
    return [check.port] if check and check.port else []


def publish(model: Model, numbers: Mapping[Key, int], host_ip: str) -> None:
    """Write the numbers into the model; every port that is not among them is not published."""
    for service in model["services"].values():
        service.pop("ports", None)
    for (name, port, protocol), number in sorted(numbers.items()):
        owner = network_owner(model, name)
        entry = {"mode": "ingress", "host_ip": host_ip, "target": port, "published": str(number), "protocol": protocol}
        if owner:
            model["services"][owner].setdefault("ports", []).append(entry)


def published(model: Model) -> dict[Key, int]:
    """The numbers that `publish` wrote."""
    ports = {name: service.get("ports") or [] for name, service in model["services"].items()}
    return {(name, int(p["target"]), p["protocol"]): int(p["published"]) for name, written in ports.items() for p in written}
