"""A one-shot service of the stack that migrates a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.migrators import _inputs
from seeder.migrators._services import LONGER, image, known
from seeder.passed.fitness import Revision
from seeder.protocols import World


class OneShot:
    tool = "service"

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """The files that `inputs` names, of the migration or of the service; none when neither does. Raises DefinitionError for a
        glob without files or a service that is not there."""
        name = known(_name(store), "service", store, stack)
        globs = store.migrate.inputs if store.migrate else []
        return _inputs.revisions(store, stack, globs or stack.services[name].x.inputs)

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any] | None:
        """How the service is run; None when neither it nor the migration names `inputs`."""
        service = stack.services[known(_name(store), "service", store, stack)]
        return self.program(store, stack) if service.x.inputs or (store.migrate and store.migrate.inputs) else None

    def program(self, store: Store, stack: Stack) -> Mapping[str, Any]:
        """Its image, words and variables, and those that it has without containers."""
        service = stack.services[known(_name(store), "service", store, stack)]
        words = [list(service.entrypoint or ()), list(service.command or ())]
        told = {"image": image(service), "words": words, "environment": dict(sorted(service.environment.items()))}
        local = service.x.local
        return {**told, "local": [local.command, local.cwd, local.environment]} if local else told

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:  # noqa: ARG002  (the service knows its files)
        """Start the service and wait for its end. Raises EnvironmentFailed with its log when it fails."""
        try:
            world.run_service(_name(store), within=store.migrate.within if store.migrate else 0, remedy=LONGER)
        except EnvironmentFailed as error:
            problem = error.problems[0]
            raise EnvironmentFailed(
                f"{store.name}: {problem.subject}", problem.cause, problem.remedy, problem.mark, log=error.log
            ) from error


def _name(store: Store) -> str:
    if store.migrate is None or store.migrate.service is None:
        raise DefinitionError(store.name, "the store has no migration service")
    return store.migrate.service
