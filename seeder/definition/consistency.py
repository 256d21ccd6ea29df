"""What is wrong with a stack as it is written: gates, exports, and the placeholders in what its services declare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from seeder.definition.extension import Gates
from seeder.definition.links import strangers
from seeder.definition.quoting import unquoted
from seeder.definition.service import Service
from seeder.definition.stack import Stack
from seeder.definition.stores import not_yet
from seeder.errors import Problem, nearest

_BRACES = re.compile(r"(?<!\$)\{([^{}]*)\}")
_EXPORT = re.compile(r"(?:(?P<of>[\w./-]+)\.)?(?P<what>[a-z]+)(?::(?P<option>[\w+-]+))?")
_LOCAL = re.compile(r"python|host|port(?::(?P<port>\d+))?")
EXPORTED: Final = ("url", "host", "port", "scheme", "user", "password", "database")


def problems(stack: Stack) -> Iterator[Problem]:
    """What would fail or mean something else than it says."""
    yield from _gates(stack)
    yield from _exports(stack)
    for service in stack.services.values():
        yield from _export_placeholders(service, stack)
        yield from _local(service)
        yield from _auth(service, stack)


def hints(stack: Stack) -> Iterator[Problem]:
    """What works and should be looked at."""
    yield from stack.hints
    for file in stack.files:
        yield from unquoted(file)
    for service in stack.services.values():
        yield from _fixed_port(service)
        yield from _strangers(service, stack)
    yield from without_engine(stack)


def without_engine(stack: Stack) -> Iterator[Problem]:
    """Services that keep a state of which seeder knows nothing."""
    for service in stack.services.values():
        yield from _no_engine(service, stack)


def has_store(stack: Stack, store: str) -> bool:
    """Is this a store of the stack, or of a server that is absent from this run?"""
    return store in stack.stores or store.split("/", maxsplit=1)[0] in stack.absent


def _gates(stack: Stack) -> Iterator[Problem]:
    for kind, tables in (("counts", stack.x.gates.counts), ("nulls", stack.x.gates.nulls)):
        for table in tables:
            store = table.split(".")[0]
            if not has_store(stack, store):
                cause = f"{table}: stack {stack.name} has no store {store}"
                yield Problem("x-seeder.gates", cause, nearest(store, sorted(stack.stores)), stack.place("gates", kind, table))


def tables_of(gates: Gates) -> Iterator[tuple[str, str]]:
    """The stores that gates name, each with the `store.table` that names it."""
    for table in (*gates.counts, *gates.nulls):
        yield table.split(".")[0], table


def _exports(stack: Stack) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, service in sorted(stack.services.items()):
        for variable in service.x.export:
            other = first.setdefault(variable, name)
            if other != name:
                yield Problem(variable, f"{other} and {name} both export it", "rename one of them", service.place("export", variable))


def _export_placeholders(service: Service, stack: Stack) -> Iterator[Problem]:
    known = sorted({*stack.services, *stack.stores})
    for variable, pattern in service.x.export.items():
        for found in _BRACES.finditer(pattern):
            subject, match = f"{service.name} export {variable} {found[0]}", _EXPORT.fullmatch(found[1])
            if match is None or match["what"] not in EXPORTED:
                remedy = f"known: {', '.join(f'{{{what}}}' for what in EXPORTED)}, {{STORE.url}}, {{STORE.url:DRIVER}}"
                yield Problem(subject, "this placeholder is not known", remedy, service.place("export", variable))
            elif match["of"] and match["of"] not in known and not has_store(stack, match["of"]):
                cause = f"stack {stack.name} has no store or service {match['of']}"
                yield Problem(subject, cause, nearest(match["of"], known), service.place("export", variable))


def lacking(pattern: str, stack: Stack) -> set[str]:
    """The stores and services that placeholders of an export name and that take no part in this run."""
    named = {match["of"] for found in _BRACES.finditer(pattern) if (match := _EXPORT.fullmatch(found[1])) and match["of"]}
    return {name for name in named if name not in {*stack.services, *stack.stores} and has_store(stack, name)}


def unset(stack: Stack) -> Iterator[Problem]:
    """Exports that stay away, since what they name takes no part."""
    for service in stack.services.values():
        for variable, pattern in service.x.export.items():
            if missing := sorted(lacking(pattern, stack)):
                cause = f"export {variable} is not set: it names {', '.join(missing)}, which takes no part"
                yield Problem(service.name, cause, "", service.place("export", variable))


def _local(service: Service) -> Iterator[Problem]:
    local = service.x.local
    words = [*local.command, *local.environment.values()] if local else []
    for found in (found for word in words for found in _BRACES.finditer(word)):
        match = _LOCAL.fullmatch(found[1])
        if match is None and re.fullmatch(r"\w+(:\w+)?", found[1]):
            remedy = "known: {python}, {host}, {port}, {port:8000}"
            yield Problem(f"{service.name} local {found[0]}", "this placeholder is not known", remedy, service.place("local"))
        elif match and match["port"] and service.ports and int(match["port"]) not in _ports(service):
            cause, remedy = f"the service has no port {match['port']}", f"known: {', '.join(map(str, sorted(_ports(service))))}"
            yield Problem(f"{service.name} local {found[0]}", cause, remedy, service.place("local"))


def _ports(service: Service) -> set[int]:
    return {*(port.target for port in service.ports), *service.expose}


def _fixed_port(service: Service) -> Iterator[Problem]:
    for word in service.x.local.command if service.x.local else ():
        if word.isdigit() and int(word) in _ports(service):
            cause = f"the port {word} is written out, so that two runs would meet"
            yield Problem(f"{service.name} local", cause, f"write {{port:{word}}}", service.place("local", "command"))


def _strangers(service: Service, stack: Stack) -> Iterator[Problem]:
    names = sorted({*stack.absent, *(name for one in stack.services.values() for name in one.names)})
    for host, place in strangers(service, {*names, *service.hosts}):
        yield Problem(f"services.{service.name}.{place}", f"no service is called {host}", nearest(host, names), service.mark)


def _no_engine(service: Service, stack: Stack) -> Iterator[Problem]:
    if (name := not_yet(service)) and service.name not in stack.servers:
        fate = "it runs as a plain service and begins empty; its state is neither loaded, digested, kept nor reset"
        remedy = "load it by requests to a service (NAME.http), or by a dataset's `seed` program"
        yield Problem(service.name, f"no engine knows {name} yet: {fate}", remedy, service.mark)


def _auth(service: Service, stack: Stack) -> Iterator[Problem]:
    if service.x.auth and service.name in stack.servers:
        cause = "`auth` is for clients of an HTTP service, and this service holds stores"
        yield Problem(
            f"{service.name} auth", cause, "remove it; a store's credentials are read from its environment", service.place("auth")
        )
