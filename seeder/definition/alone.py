"""A server of a stack by itself, for whoever wants its stores and no services."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from seeder.definition.service import Service
from seeder.definition.stack import Stack
from seeder.definition.stores import owners
from seeder.order import closure


def alone(stack: Stack, server: str) -> Stack:
    """The stack without all that its server can do without. What migrates a store runs as the service that owns it, so that one is
    there, with nothing to wait for."""
    return of(stack, [server], f"{server} does without it")


def of(stack: Stack, servers: Iterable[str], why: str) -> Stack:
    """The same of several servers; `why` the others are absent."""
    servers = list(servers)
    kept = closure(servers, lambda name: [edge.service for edge in stack.services[name].depends_on if edge.service in stack.services])
    migrated = [store for server in servers for store in stack.stores_of(server)]
    kept |= {name for store in migrated for name in owners(store, stack.links) if name in stack.services}
    return part(stack, kept, why)


def part(stack: Stack, kept: AbstractSet[str], why: str) -> Stack:
    """The stack of these services; `why` the others are absent."""
    stores = {name: store for name, store in stack.stores.items() if store.service in kept}
    return replace(
        stack,
        services={name: _among(service, kept) for name, service in stack.services.items() if name in kept},
        stores=stores,
        links=tuple(link for link in stack.links if {link.client, link.server} <= kept),
        references=tuple(one for one in stack.references if {one.source.store, one.target.store} <= stores.keys()),
        unasked={**stack.unasked, **{name: store for name, store in stack.stores.items() if name not in stores}},
        absent={**stack.absent, **dict.fromkeys(sorted(stack.services.keys() - kept), why)},
    )


def _among(service: Service, kept: AbstractSet[str]) -> Service:
    return replace(service, depends_on=tuple(edge for edge in service.depends_on if edge.service in kept))
