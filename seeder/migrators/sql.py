"""A folder of .sql files, applied in name order, each in one transaction with its entry in the table `seeder_migrations`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seeder import fingerprint
from seeder.definition.dataset import Part
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, EnvironmentFailed, Mark, SeederError
from seeder.passed.fitness import Revision
from seeder.protocols import Inspects, Loads, Queries, World

if TYPE_CHECKING:
    from seeder.passed.content import Records  # a plan lists revisions, and loads nothing

TABLE: Final = "seeder_migrations"
_COLUMNS: Final = ("id", "digest")
_HISTORY: Final = Path(__file__).with_name("history.sql")


class Sql:
    tool = "sql"
    stepwise = True
    halts = True

    def revisions(self, store: Store, stack: Stack) -> tuple[Revision, ...]:
        """One per file; its id is the file's name without the ending, its summary the comment in its first line. Raises
        DefinitionError when the folder is missing or holds no .sql file."""
        folder = stack.project_dir / ((store.migrate and store.migrate.sql) or "")
        mark = stack.services[store.service].mark
        if not folder.is_dir():
            raise DefinitionError(f"{store.name}: sql", f"there is no folder {folder}", "it counts from the compose file's folder", mark)
        files = sorted((path for path in folder.iterdir() if path.suffix == ".sql" and path.is_file()), key=lambda path: path.name)
        if not files:
            raise DefinitionError(f"{store.name}: sql", f"the folder {folder} holds no .sql file", "add 0001-name.sql", mark)
        return tuple(Revision(path.stem, path, _summary(path)) for path in files)

    def basis(self, store: Store, stack: Stack) -> Mapping[str, Any]:  # noqa: ARG002  (the files say it all)
        return {"history": fingerprint.content(_HISTORY)}

    def migrate(self, store: Store, revisions: Sequence[Revision], world: World) -> None:
        """Apply what the table does not hold yet. Raises EnvironmentFailed when an applied file was changed or is gone, and naming
        file, line and the database's words when one fails; of that one nothing stays."""
        from seeder.passed.content import Script

        applied = _applied(store, world)
        difference = _difference(applied, revisions)
        if difference:
            raise EnvironmentFailed(store.name, difference, "put the file back and write what is new into a file that sorts after it")
        if not applied:
            _load(store, world, [Script(Part("sql", store.name, "history", _HISTORY, "sql"))])
        for revision in revisions[len(applied) :]:
            _apply(store, revision, world)

    def head(self, store: Store, world: World) -> str | None:
        return next(reversed(_applied(store, world)), None)

    def drift(self, store: Store, revisions: Sequence[Revision], world: World) -> str | None:
        applied = _applied(store, world)
        missing = ", ".join(revision.id for revision in revisions[len(applied) :])
        return _difference(applied, revisions) or (f"{missing} is not applied" if missing else None)


def _summary(path: Path) -> str:
    with path.open("rb") as lines:
        first = lines.readline().decode("utf-8", "replace").strip()
    return first.removeprefix("--").strip() if first.startswith("--") else ""


def _digest(revision: Revision) -> str:
    return hashlib.sha256(revision.file.read_bytes()).hexdigest()


def _applied(store: Store, world: World) -> dict[str, str]:
    """Id -> digest of what the store says it holds, in the order of the files' names."""
    engine, target = world.engine(store.name), world.target(store.name)
    if not isinstance(engine, Inspects) or not isinstance(engine, Queries):
        raise EnvironmentFailed(store.name, f"{engine.name} cannot be migrated", "remove `migrate`")
    if TABLE not in engine.tables(target):
        return {}
    held = {str(id_): str(digest) for id_, digest in engine.query(target, "select id, digest from seeder_migrations")}
    return {id_: held[id_] for id_ in sorted(held, key="{}.sql".format)}


def _difference(applied: Mapping[str, str], revisions: Sequence[Revision]) -> str | None:
    """What was applied must be the beginning of the folder, unchanged."""
    for id_, revision in zip_longest(applied, revisions[: len(applied)]):
        if revision is None or id_ not in {r.id for r in revisions}:
            return f"{id_} was applied, and its file is gone"
        if id_ != revision.id:
            return f"{revision.file.name} sorts before {id_}, which was applied already"
        if applied[id_] != _digest(revision):
            return f"{revision.file.name} was changed after it was applied"
    return None


def _apply(store: Store, revision: Revision, world: World) -> None:
    from seeder.passed.content import Row, Script, Table

    script = Script(Part("sql", store.name, revision.id, revision.file, "sql"))
    entry = Row(1, (revision.id, _digest(revision)))
    part = Part("table", store.name, TABLE, revision.file, "sql")
    try:
        _load(store, world, [script], [Table(part, _COLUMNS, lambda: iter([entry]))])
    except SeederError as error:
        found = error.problems[0]
        subject = f"{store.name}: revision {revision.id}"
        mark = found.mark or Mark(revision.file, 1)
        raise EnvironmentFailed(subject, found.cause, found.remedy or f"correct {revision.file.name}", mark, log=error.log) from error


def _load(store: Store, world: World, *steps: Sequence[Records]) -> None:
    """All steps in one session: nothing of them stays when one fails."""
    engine = world.engine(store.name)
    if not isinstance(engine, Loads):
        raise EnvironmentFailed(store.name, f"{engine.name} takes no SQL", "remove `migrate`")
    session = engine.begin(world.target(store.name), upsert=True, natural_keys={})
    try:
        for records in steps:
            session.load(records)
        session.verify()
        session.commit()
    except BaseException:
        session.rollback()
        raise
