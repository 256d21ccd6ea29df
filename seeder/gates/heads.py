"""A system that is attached to stands where the datasets need it: migrations are its own, and only looked at."""

from __future__ import annotations

from collections.abc import Iterable

from seeder.definition.requirements import revision_problem
from seeder.errors import Problem
from seeder.events import Noticed
from seeder.passed.fitness import Fitness
from seeder.protocols import TellsHead, World
from seeder.registry import MIGRATORS


class Heads:
    name = "heads"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """One finding for each dataset and store whose last revision is not what the dataset requires, naming both."""
        heads: dict[str, str | None] = {}
        for dataset, required in fitness.required:
            store = world.stack.stores.get(required.subject)
            if store is None or store.migrate is None or store.name not in fitness.revisions:
                continue
            migrator = MIGRATORS.get(store.migrate.tool)
            if not isinstance(migrator, TellsHead):
                cause = f"`{migrator.tool}` does not tell how far it is, so that {dataset} may not fit"
                world.emit(Noticed(store.name, cause))
                continue
            if store.name not in heads:
                heads[store.name] = migrator.head(store, world)
            subject = f"{dataset} requires {store.name} {required.wanted}"
            history = [revision.id for revision in fitness.revisions[store.name]]
            head = heads[store.name]
            if head not in history:
                cause = f"the system stands at {head or 'no revision'}, which the files here do not know"
                yield Problem(subject, cause, "take the version of the project that stands there", required.mark)
            elif unfit := revision_problem(required.wanted, history[: history.index(head) + 1]):
                yield Problem(subject, f"the system stands at {head}: {unfit.cause}", unfit.remedy, required.mark)
