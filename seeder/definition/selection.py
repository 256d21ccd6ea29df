"""Which services of a stack take part in a run, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from seeder import order
from seeder.definition.links import find_links
from seeder.definition.service import Service
from seeder.definition.stores import Engines, owners, stores_of
from seeder.errors import Collector, UsageError, nearest
from seeder.frozen import frozen


@frozen
class Selection:
    """The services that are left of a stack."""

    services: Mapping[str, Service]
    absent: Mapping[str, str]  # service -> the reason
    unasked: Mapping[str, Service]  # of the absent ones those that `only` leaves out


def select(
    services: Mapping[str, Service],
    profiles: Sequence[str],
    only: Sequence[str] | None,
    engines: Engines,
    aliases: Mapping[str, Mapping[str, str]],
    problems: Collector,
) -> Selection:
    """The services with an active profile, without those that only plain compose needs; of these, `only` and all that they
    depend on or link to, and as which their stores are migrated. A profile of a service that `only` names is active.

    Raises UsageError when `only` names no service. A needed service that takes no part is a problem.
    """
    named = _known(only, services, problems)
    active = {*profiles, *(profile for name in named for profile in services[name].profiles)}
    absent = {name: "seeder replaces it (only: compose)" for name, service in services.items() if service.x.only == "compose"}
    for name, service in services.items():
        if name not in absent and not _is_active(service, active):
            plural = "s" if len(service.profiles) > 1 else ""
            absent[name] = f"profile{plural} {', '.join(service.profiles)} not active"
    taking_part = {name: service for name, service in services.items() if name not in absent}
    chosen = _closed(named, taking_part, engines, aliases) if only is not None else set(taking_part)
    absent |= dict.fromkeys(taking_part.keys() - chosen, f"not needed by {', '.join(named)}")
    result = {name: _without_absent(service, chosen, services, problems) for name, service in taking_part.items() if name in chosen}
    _check_circles(result, problems)
    unasked = {name: service for name, service in taking_part.items() if name not in chosen}
    return Selection(result, dict(sorted(absent.items())), unasked)


def _known(only: Sequence[str] | None, services: Mapping[str, Service], problems: Collector) -> tuple[str, ...]:
    for name in only or ():
        if name not in services:
            problems.raise_if_any()  # they may be why it is missing
            raise UsageError(name, "the stack has no such service", nearest(name, sorted(services)))
    return tuple(only or ())


def _is_active(service: Service, active: Iterable[str]) -> bool:
    return not service.profiles or "*" in active or not set(service.profiles).isdisjoint(active)


def _closed(named: Sequence[str], services: Mapping[str, Service], engines: Engines, aliases: Mapping[str, Mapping[str, str]]) -> set[str]:
    others: dict[str, set[str]] = {name: set() for name in services}
    links = find_links(services, engines, aliases)
    for link in links:
        others[link.client].add(link.server)
    for store in stores_of(services.values(), engines).values():
        others[store.service] |= owners(store, links)

    def needed(name: str) -> set[str]:
        return ({edge.service for edge in services[name].depends_on if edge.required} | others[name]) & services.keys()

    return order.closure((name for name in named if name in services), needed)


def _without_absent(service: Service, chosen: set[str], services: Mapping[str, Service], problems: Collector) -> Service:
    """The service without edges to what takes no part. Only one that seeder replaces, or that is not required, may be missing."""
    for edge in service.depends_on:
        if edge.service not in services:
            continue  # a problem of its own
        needed = edge.required and edge.service not in chosen and services[edge.service].x.only is None
        if needed:
            profiles = services[edge.service].profiles
            remedy = f"add --profile {profiles[0]}, or say required: false" if profiles else ""
            problems.add(f"services.{service.name}.depends_on", f"{edge.service} takes no part", remedy, service.mark)
    return replace(service, depends_on=tuple(edge for edge in service.depends_on if edge.service in chosen))


def _check_circles(services: Mapping[str, Service], problems: Collector) -> None:
    try:
        order.sort({name: [edge.service for edge in service.depends_on] for name, service in services.items()})
    except order.Cycle as circle:
        first = circle.path[0]
        problems.add(f"services.{first}.depends_on", f"services wait for each other: {circle}", "break the circle", services[first].mark)
