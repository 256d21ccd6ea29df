"""Alembic: revisions are read from the files, and applied by the service that owns them, since its env.py imports its models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder import fingerprint
from seeder.definition.extension import Migrate
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed, Mark
from seeder.machine.process import Completed
from seeder.migrators import _alembic_files, _alembic_ini, _inputs, _pins
from seeder.migrators._services import LONGER, known, label, variables
from seeder.passed.fitness import Revision
from seeder.passed.run import Task
from seeder.passed.target import Target
from seeder.protocols import Inspects, World

_COLUMN = "version_num"  # the one column of Alembic's own table, whatever env.py calls the table


class Alembic:
    tool = "alembic"
    stepwise = True
    halts = True

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """Of the ini's history, which must have one head. Raises DefinitionError with all problems of the files, or when no
        service can be found that owns them."""
        owner(store, stack)
        working = _working(store, stack)
        return _alembic_files.history(_alembic_ini.revision_files(_ini(store, stack), working))

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any]:
        """Alembic's ini, what stands beside the revisions (env.py), the files that `inputs` names, and versions: as the project writes
        them down, else those of the image, else those at hand."""
        ini, service = _ini(store, stack), stack.services[owner(store, stack)]
        shared = _alembic_ini.shared_files(ini, _working(store, stack))
        extra = _inputs.revisions(store, stack, _of(store).inputs)
        folders = [ini.parent, _working(store, stack), *([service.build.context] if service.build else [])]
        versions = _pins.declared(folders) or (_pins.installed() if service.image is None else {"image": [service.image]})
        return {
            "ini": fingerprint.content(ini),
            "shared": {path.name: fingerprint.content(path) for path in shared},
            "inputs": {revision.id: fingerprint.content(revision.file) for revision in extra},
            "versions": versions,
            "environment": variables(service, _of(store).environment),
            "local": service.x.local.environment if service.x.local else {},
        }

    def runs_as(self, store: Store, stack: Stack) -> str:
        """Raises DefinitionError."""
        return owner(store, stack)

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:
        """Upgrade to the last revision, then see that the version table says so."""
        if not revisions:
            return
        done = world.execute(_task(store, revisions[-1].id, world.stack))
        if done.code != 0:
            raise _failed(store, revisions, done)
        difference = self.drift(store, revisions, world)
        if difference:
            remedy = f"does env.py migrate {store.name}? It must take its address from the environment"
            raise EnvironmentFailed(store.name, f"alembic ended well, but {difference}", remedy, log=done.tail(30))

    def head(self, store: Store, world: World) -> str | None:
        engine = world.engine(store.name)
        found = _held(engine, world.target(store.name)) if isinstance(engine, Inspects) else []
        return found[0] if len(found) == 1 else None

    def drift(self, store: Store, revisions: Sequence[Revision], world: World) -> str | None:
        engine = world.engine(store.name)
        if not isinstance(engine, Inspects):
            return f"{engine.name} cannot be asked for its tables"
        found = _held(engine, world.target(store.name))
        wanted = [revisions[-1].id] if revisions else []
        if found == wanted:
            return None
        held = f"revision {', '.join(found)}" if found else "no revision"
        return f"the version table holds {held}, the files end with {', '.join(wanted) or 'none'}"


def _held(engine: Inspects, target: Target) -> list[str]:
    """What the version table holds."""
    tables = [name for name, table in engine.tables(target).items() if [c.name for c in table.columns] == [_COLUMN]]
    return sorted({str(value) for table in tables for value, _ in engine.values(target, table, _COLUMN)})


def owner(store: Store, stack: Stack) -> str:
    """The service that runs Alembic: the one named by `as`, else the only client of the store. Raises DefinitionError."""
    migrate, mark = _of(store), stack.services[store.service].mark
    if migrate.as_ is not None:
        return known(migrate.as_, "as", store, stack)
    clients = sorted({link.client for link in stack.links if link.server == store.service} & set(stack.clients))
    if len(clients) != 1:
        found = f"{', '.join(clients)} all use it" if clients else "no service uses it"
        raise DefinitionError(
            f"{store.name}: migrate", f"whose migrations these are is not clear: {found}", "name the service: `as: ...`", mark
        )
    return clients[0]


def _of(store: Store) -> Migrate:
    if store.migrate is None:
        raise DefinitionError(store.name, "the store has no `migrate`")
    return store.migrate


def _ini(store: Store, stack: Stack) -> Path:
    path = stack.project_dir / (_of(store).alembic or "")
    if not path.is_file():
        mark = stack.services[store.service].mark
        raise DefinitionError(f"{store.name}: alembic", f"there is no file {path}", "the path counts from the compose file's folder", mark)
    return path


def _working(store: Store, stack: Stack) -> Path:
    """The folder on this machine that stands for the one in which Alembic runs: the service's local one, else its build context
    when that holds the ini, else the compose file's. An interpreter of this machine runs in the compose file's folder."""
    service = stack.services[owner(store, stack)]
    if _of(store).python is not None:
        return stack.project_dir
    if service.x.local is not None:
        return Path(os.path.normpath(stack.project_dir / service.x.local.cwd))
    if service.build and _ini(store, stack).is_relative_to(service.build.context):
        return service.build.context
    return stack.project_dir


def _task(store: Store, revision: str, stack: Stack) -> Task:
    migrate = _of(store)
    ini = Path(os.path.relpath(_ini(store, stack), _working(store, stack))).as_posix()
    return Task(
        label=label(store),
        command=(_interpreter(migrate, stack), "-m", "alembic", "-c", ini, "upgrade", revision),
        service=owner(store, stack),
        environment=migrate.environment,
        host=migrate.python is not None,
        cwd=stack.project_dir if migrate.python is not None else None,
        timeout=migrate.within,
        remedy=LONGER,
    )


def _interpreter(migrate: Migrate, stack: Stack) -> str:
    """`python` of the service, or the one that `python:` names: a path from the compose file's folder, or a name on PATH."""
    if migrate.python is None:
        return "python"
    return str(stack.project_dir / migrate.python) if "/" in migrate.python else migrate.python


def _failed(store: Store, revisions: Sequence[Revision], done: Completed) -> EnvironmentFailed:
    from seeder.migrators import _alembic_output  # its patterns take longer to compile than a history takes to read

    failure, log = _alembic_output.read(done.output, revisions), done.tail(30)
    statement = f"; statement: {failure.statement}" if failure.statement else ""
    cause = f"{failure.cause}{statement}"
    if failure.revision is None:
        return EnvironmentFailed(store.name, f"alembic failed before any revision ran: {cause}", "see its log below", log=log)
    mark = Mark(failure.revision.file, failure.line)
    subject = f"{store.name}: revision {failure.revision.id}"
    frames = Completed(done.code, _alembic_output.own(done.output)).tail(30)
    said = "" if failure.statement else frames  # the statement and the database's words say it all; a traceback would only hide them
    return EnvironmentFailed(subject, cause, f"correct {failure.revision.file.name}", mark, log=said)
