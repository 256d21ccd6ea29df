"""Services that migrations name, and what the programs that they run are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seeder import fingerprint
from seeder.definition.service import Service
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


def variables(service: Service, own: Mapping[str, str]) -> dict[str, str]:
    """What a service that migrates is told, as it stands in the files, under the migration's `own` variables. Addresses are among that:
    those that a run puts in their places are its own."""
    return dict(sorted({**service.environment, **own}.items()))


def image(service: Service) -> Any:
    """What a service that migrates is run from: the name of its image; of a built one how it is built. What is copied into that is for
    `inputs` to name: one more revision in it would make another program of it."""
    build = service.build
    if build is None:
        return service.image
    file = build.context / build.dockerfile
    recipe = build.inline or (fingerprint.content(file) if file.is_file() else build.dockerfile)
    return {"context": build.remote or "", "dockerfile": recipe, "target": build.target, "args": dict(sorted(build.args.items()))}
