"""Services that migrations name, and what the programs that they run are called."""

from __future__ import annotations

from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, nearest


def known(name: str, key: str, store: Store, stack: Stack) -> str:
    """The name, when the stack has this service. Raises DefinitionError that names `key` of the store's `migrate`."""
    if name not in stack.services:
        mark = stack.services[store.service].mark
        raise DefinitionError(f"{store.name}: {key}", f"the stack has no service {name}", nearest(name, stack.clients), mark)
    return name


LONGER = "see its log; the limit is `x-seeder: {migrate: {within: ...}}`"  # what to do when a migration takes too long


def label(store: Store) -> str:
    """The name of the log."""
    return f"migrate-{store.name.replace('/', '-')}"
