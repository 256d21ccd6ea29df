"""Any program that migrates a store: on this machine, or as a service of the stack."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder import fingerprint
from seeder.definition.extension import Migrate
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.migrators import _inputs
from seeder.migrators._services import LONGER, image, known, label, variables
from seeder.passed.fitness import Revision
from seeder.passed.run import Task
from seeder.protocols import World


class Command:
    tool = "command"

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """The files that `inputs` names; none when it names none. Raises DefinitionError for a glob without files or a service
        that is not there."""
        migrate = store.migrate
        if migrate is None:
            return ()
        if migrate.as_ is not None:
            known(migrate.as_, "as", store, stack)
        return _inputs.revisions(store, stack, migrate.inputs)

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any] | None:
        """The program; None when no `inputs` say which files decide what it does."""
        return self.program(store, stack) if store.migrate and store.migrate.inputs else None

    def program(self, store: Store, stack: Stack) -> Mapping[str, Any]:
        """Its words, variables and image. Without an image it is told by its bytes: versions are written in as many ways as there are
        programs, and equal builds have equal bytes on every machine. What it loads besides is for `inputs` to name."""
        migrate = store.migrate
        if migrate is None or not migrate.command:
            raise DefinitionError(store.name, "the store has no migration command")
        told = {"command": list(migrate.command), "as": migrate.as_}
        if migrate.as_ is None:
            return {**told, "environment": dict(migrate.environment), "image": None, "program": _program(migrate, stack)}
        service = stack.services[migrate.as_]
        local = service.x.local.environment if service.x.local else {}
        return {**told, "environment": variables(service, migrate.environment), "local": local, "image": image(service)}

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:  # noqa: ARG002  (the program knows its files)
        """Run the program to its end: as the service that `as` names, else on this machine, in the compose file's folder, with
        the addresses that a wrapped command gets. Raises EnvironmentFailed with its log when its exit code is not 0."""
        done = world.execute(_task(store, world))
        if done.code != 0:
            command = " ".join(store.migrate.command or ()) if store.migrate else ""
            raise EnvironmentFailed(store.name, f"`{command}` ended with code {done.code}", "see its log below", log=done.tail(30))


def _program(migrate: Migrate, stack: Stack) -> str:
    """The digest of the file that would be run; nothing where there is none, which the run will tell."""
    first = (migrate.command or [""])[0]
    found = shutil.which(first, path=migrate.environment.get("PATH")) if "/" not in first else str(stack.project_dir / first)
    return fingerprint.content(Path(found)) if found and Path(found).is_file() else ""


def _task(store: Store, world: World) -> Task:
    migrate = store.migrate
    if migrate is None or not migrate.command:
        raise DefinitionError(store.name, "the store has no migration command")
    if migrate.as_ is not None:
        return Task(label(store), tuple(migrate.command), migrate.as_, migrate.environment, timeout=migrate.within, remedy=LONGER)
    environment = {**world.variables(), **migrate.environment}
    return Task(label(store), tuple(migrate.command), store.service, environment, True, world.stack.project_dir, migrate.within, LONGER)
