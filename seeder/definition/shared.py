"""A system that exists already and that others use, too: why it may not be attached to, and the stack as far as it is there."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import replace

from seeder.definition.alone import part
from seeder.definition.claim import Claim
from seeder.definition.compose import column_of
from seeder.definition.extension import Auth
from seeder.definition.interpolate import Invalid, Lookup, interpolate
from seeder.definition.manifest import Policy, TargetEntry
from seeder.definition.manifest_file import SharedService, Shown
from seeder.definition.service import Service
from seeder.definition.stack import RANGE, Shared, Stack, Trace
from seeder.errors import Collector, Problem, nearest


def attached(stack: Stack, entry: TargetEntry, policy: Policy | None, lookup: Lookup) -> Stack:
    """The stack as the system has it: what it does not declare is absent. Raises DefinitionError with everything that forbids it."""
    problems, given = Collector(), entry.written
    problems.problems += [*_forbidden(entry, policy), *mistakes(entry, stack)]
    fill = _Fill(entry, lookup, problems)
    target = Shared(
        name=entry.name,
        isolation=given.isolation,
        urls={name: fill.text(f"services.{name}.url", service.url).rstrip("/") for name, service in given.services.items()},
        stores={name: fill.text(f"stores.{name}", url) for name, url in given.stores.items()},
        headers={name: service.header for name, service in given.services.items() if service.header},
        claims={
            name: Claim(service.claim.name, fill.text(f"services.{name}.claim.key", service.claim.key), service.claim.beside)
            for name, service in given.services.items()
            if service.claim
        },
        ranges={str(column): (first, last) for column, (first, last) in given.ranges.items()},
        messages=given.messages,
        traces={name: _trace(shown, stack, entry) for name, shown in given.marks.items()},
    )
    logins = {name: fill.auth(f"services.{name}.auth", service.auth) for name, service in given.services.items() if service.auth}
    problems.raise_if_any()
    kept = {*target.urls, *(stack.stores[name].service for name in target.stores)}
    reduced = part(stack, kept, f"target {entry.name} does not declare it")
    services = {name: _with(service, logins.get(name)) for name, service in reduced.services.items()}
    stores = {name: store for name, store in reduced.stores.items() if name in target.stores}
    undeclared = {name: store for name, store in stack.stores.items() if name not in stores}
    return replace(reduced, services=services, stores=stores, unasked={**reduced.unasked, **undeclared}, shared=target)


def mistakes(entry: TargetEntry, stack: Stack) -> Iterator[Problem]:
    """What of the entry is nothing of the stack's."""
    subject = f"targets.{entry.name}"
    for name, service in entry.written.services.items():
        yield from _service(name, service, entry, stack)
    for name in entry.written.stores:
        if name not in stack.stores and name.split("/", maxsplit=1)[0] not in stack.absent:
            yield Problem(f"{subject}.stores", f"stack {stack.name} has no store {name}", nearest(name, sorted(stack.stores)), entry.mark)
    for column, (first, last) in entry.written.ranges.items():
        found = column_of(column, stack.stores, f"{subject}.ranges", entry.mark)
        if isinstance(found, Problem):
            yield found
        elif first > last:
            yield Problem(f"{subject}.ranges.{column}", f"ends before it begins: {first}, {last}", "write the lower one first", entry.mark)
        elif last - first + 1 < RANGE:
            cause = f"holds {last - first + 1:,} numbers, and each run takes {RANGE:,}"
            yield Problem(f"{subject}.ranges.{column}", cause, "give it room for as many runs as there are at once", entry.mark)
    for capability, shown in entry.written.marks.items():
        yield from _shown(f"{subject}.marks.{capability}", shown, entry, stack)


def _service(name: str, service: SharedService, entry: TargetEntry, stack: Stack) -> Iterator[Problem]:
    subject, servers = f"targets.{entry.name}.services", set(stack.servers)
    if name not in {*stack.services, *stack.absent} - servers:
        remedy = nearest(name, sorted({*stack.services} - servers))
        yield Problem(subject, f"stack {stack.name} has no service {name}", remedy, entry.mark)
    tenant, told = entry.written.isolation == "tenant", [key for key in ("header", "claim") if getattr(service, key) is not None]
    if tenant and len(told) != 1:
        remedy = "name the `header` or the `claim` by which it knows the tenant"
        yield Problem(f"{subject}.{name}", f"isolation is tenant, and it names {' and '.join(told) or 'neither'}", remedy, entry.mark)
    for key in [] if tenant else told:
        remedy = f"remove `{key}`, or choose `isolation: tenant`"
        yield Problem(f"{subject}.{name}", f"isolation is prefix, and it names a {key}", remedy, entry.mark)
    if service.claim and service.auth:
        remedy = "remove `auth`: the token with the claim says who asks"
        yield Problem(f"{subject}.{name}", "has both auth and a claim", remedy, entry.mark)


def _shown(subject: str, shown: Shown, entry: TargetEntry, stack: Stack) -> Iterator[Problem]:
    if shown.output is None and shown.column is None:
        yield Problem(subject, "shows its mark nowhere", "name an `output`, a `column`, or both", entry.mark)
    found = column_of(shown.column, stack.stores, f"{subject}.column", entry.mark) if shown.column is not None else None
    if isinstance(found, Problem):
        yield found
    elif found and found.store not in entry.written.stores:
        cause = f"the target does not say how {found.store} is reached"
        yield Problem(f"{subject}.column", cause, f"add {found.store} to its stores", entry.mark)


def _forbidden(entry: TargetEntry, policy: Policy | None) -> Iterator[Problem]:
    if not entry.written.attachable:
        cause = "is declared, and not as attachable: nobody may attach to it"
        yield Problem(f"target {entry.name}", cause, "if it may be shared by tests, say `attachable: true`", entry.mark)
    if policy and not policy.attached:
        cause = f"is a shared system, and policy {policy.name} forbids to attach (`attached: false`)"
        yield Problem(f"target {entry.name}", cause, f"use another policy than {policy.name}, or no --target", entry.mark)


def _trace(shown: Shown, stack: Stack, entry: TargetEntry) -> Trace:
    found = column_of(shown.column, stack.stores, "", entry.mark) if shown.column is not None else None
    return Trace(shown.output, None if isinstance(found, Problem) else found)


def _with(service: Service, auth: Auth | None) -> Service:
    return replace(service, x=service.x.model_copy(update={"auth": auth})) if auth else service


class _Fill:
    """Fills in variables; one that is not set is a problem, as nobody means an empty password."""

    def __init__(self, entry: TargetEntry, lookup: Lookup, problems: Collector) -> None:
        self._entry, self._lookup, self._problems = entry, lookup, problems

    def text(self, key: str, text: str) -> str:
        missing: list[str] = []

        def value(name: str) -> str | None:
            if (found := self._lookup(name)) is None:
                missing.append(name)
            return found

        subject = f"targets.{self._entry.name}.{key}"
        try:
            filled = interpolate(text, value)
        except Invalid as error:
            self._problems.add(subject, str(error), error.remedy, self._entry.mark)
            return ""
        if any(f"${{{name}}}" in text or f"${name}" in text for name in missing):
            names = ", ".join(dict.fromkeys(missing))
            self._problems.add(subject, f"the variable {names} is not set", f"set {names}, or write ${{{names}:-...}}", self._entry.mark)
        elif key.endswith(".url") or key.startswith("stores."):
            self._address(subject, filled)
        return filled

    def _address(self, subject: str, url: str) -> None:
        found, remedy = urllib.parse.urlsplit(url), "write it as scheme://host:port"
        try:
            _ = found.port  # raises where it is none
        except ValueError:
            self._problems.add(subject, "its port is no number up to 65535 once its variables are filled in", remedy, self._entry.mark)
            return
        if not (found.scheme and found.hostname):
            self._problems.add(subject, "is no address once its variables are filled in", remedy, self._entry.mark)

    def auth(self, key: str, auth: Auth) -> Auth:
        given = auth.model_dump(exclude_none=True)
        return Auth.model_validate({kind: self._each(f"{key}.{kind}", values) for kind, values in given.items()})

    def _each(self, key: str, values: Mapping[str, str]) -> dict[str, str]:
        return {name: self.text(f"{key}.{name}", value) for name, value in values.items()}
