"""The schema in each database is the one that the migrations make, and the one that the datasets were written for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seeder.errors import Mark, Problem, nearest
from seeder.events import Noticed
from seeder.gates._changes import added, changes
from seeder.gates._schemas import ANEW, Schemas
from seeder.passed.content import TableInfo
from seeder.passed.fitness import Fitness, LoadedTable, Migrated, head
from seeder.protocols import Inspects, Remembers, World
from seeder.registry import MIGRATORS


class Drift:
    name = "drift"

    def check(self, fitness: Fitness, world: World) -> Iterable[Problem]:
        """Every migrated store stands at the last of its revisions, as far as its tool keeps a list, and its tables are as they
        were when it was migrated; every table that was loaded has the columns of its file, and fills those that the file leaves
        out."""
        for name in sorted(fitness.revisions):
            yield from _check_head(name, fitness, world)
        schemas = Schemas(world)
        for name, migrated in sorted(fitness.migrated.items()):
            engine = world.engine(name)
            if migrated.head == head(fitness.revisions[name]) and isinstance(engine, Inspects):  # else it was migrated further by hand
                yield from _check_tables(name, migrated, schemas.tables(name, engine), world)
        for loaded in fitness.tables:
            yield from _check_columns(schemas, loaded)


def _check_head(name: str, fitness: Fitness, world: World) -> Iterable[Problem]:
    store = world.stack.stores[name]
    if store.migrate is None:
        return
    migrator = MIGRATORS.get(store.migrate.tool)
    if not isinstance(migrator, Remembers):
        if isinstance(world.engine(name), Inspects):  # elsewhere nobody expects a schema to be compared
            world.emit(Noticed(name, f"`{migrator.tool}` keeps no list of what it applied, so its head cannot be checked"))
        return
    difference = migrator.drift(store, fitness.revisions[name], world)
    if difference:
        yield Problem(name, f"the schema is not the one that the migrations make: {difference}", ANEW)


def _check_tables(name: str, migrated: Migrated, found: Mapping[str, TableInfo], world: World) -> Iterable[Problem]:
    """Whoever changes a table at run time hides what its migrations lack; one that makes tables of its own may."""
    remedy = "make the change in a migration, and take it out of what made it after the migrations: a dataset's SQL, or a service"
    for where, what in changes(migrated.tables, found):
        yield Problem(f"{name}.{where}", f"the schema is not as the migrations left it: {what}", remedy)
    if more := added(migrated.tables, found):
        world.emit(Noticed(name, f"holds tables that its migrations did not make: {', '.join(more)}"))


def _check_columns(schemas: Schemas, loaded: LoadedTable) -> Iterable[Problem]:
    subject, mark = f"{loaded.store}.{loaded.table}", Mark(loaded.file, 1)
    found = schemas.find(subject, loaded.store, loaded.table)
    if isinstance(found, Problem):
        yield Problem(found.subject, found.cause, found.remedy, mark)
        return
    columns = [column.name for column in found.info.columns]
    for name in loaded.columns:
        if name not in columns:
            cause = f"{loaded.dataset} gives a column {name}, which the table does not have"
            yield Problem(subject, cause, nearest(name, [column for column in columns if column not in loaded.columns]), mark)
    for column in found.info.columns:
        if not (column.nullable or column.filled or column.name in loaded.columns):
            cause = f"column {column.name} must not be null and has no default, and {loaded.dataset} does not give it"
            yield Problem(subject, cause, f"add {column.name} to {loaded.file.name}", mark)
