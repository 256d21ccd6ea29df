"""Liquibase: the changesets of a master changelog and of what it includes, in the order in which they are written.

Rules: https://docs.liquibase.com/concepts/changelogs/home.html"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from seeder.definition.stack import Stack
from seeder.errors import Collector, DefinitionError, Mark
from seeder.frozen import frozen
from seeder.migrators.presets import _changelog
from seeder.migrators.presets import _changelog_formats as formats
from seeder.migrators.presets._preset import History, Preset, Row, compared
from seeder.passed.fitness import Revision


@frozen
class Changeset(Revision):
    """`name` (its id and author) and `place` are how the table knows it. `always`: it is run each time. `optional`: contexts, labels, a
    kind of database or conditions decide whether it is run."""

    name: tuple[str, str] = ("", "")
    place: str = ""
    always: bool = False
    optional: bool = False


class Liquibase(Preset):
    tool = "liquibase"
    table = "databasechangelog"
    columns = frozenset({"id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum"})
    filled = ("databasechangelog.dateexecuted", "databasechangelog.deployment_id")

    def read(self, files: Mapping[str, Path], stack: Stack, problems: Collector) -> History:
        master = _master(files, stack.project_dir)
        found = _changelog.read(master, stack.project_dir)
        changesets: dict[str, Changeset] = {}
        for one in sorted(found.entries, key=lambda entry: ("first", "", "last").index(entry.order)):
            place = one.path or _below(one.file, master)
            made = Changeset(
                f"{place}::{one.id}::{one.author}",
                one.file,
                one.summary,
                one.content,
                (one.id, one.author),
                place,
                one.always,
                one.optional,
            )
            if changesets.setdefault(made.id, made) is not made:
                problems.add(made.id, "the changelog has two of them", "give one another id", Mark(one.file, one.line))
        return History(tuple(changesets.values()), frozenset(found.files), found.shared)

    def steps(self, revisions: Sequence[Revision]) -> Iterator[Sequence[Revision]]:
        """Whoever goes on from where one of those stands that are always run runs it again: from the first of them on all is one step."""
        first = next((place for place, one in enumerate(revisions) if isinstance(one, Changeset) and one.always), len(revisions))
        yield from ([revision] for revision in revisions[:first])
        yield from ([revisions[first:]] if revisions[first:] else [])

    def select(self, table: str) -> str:
        return f"select id, author, filename from {table} order by orderexecuted"  # noqa: S608  (quoted)

    def difference(self, rows: Sequence[Row], revisions: Sequence[Revision], known: History) -> str | None:
        every = [one for one in dict.fromkeys((*known.revisions, *revisions)) if isinstance(one, Changeset)]
        held = [_held(str(id_), str(author), str(file), every) for id_, author, file in rows]
        optional = [one.id for one in every if one.optional]
        return compared(held, [revision.id for revision in revisions], [one.id for one in every], optional)


def _master(files: Mapping[str, Path], root: Path) -> Path:
    """The changelog that no other one includes. Raises DefinitionError when there are several of them, or none."""
    changelogs, broken = [], []
    for path in files.values():
        try:
            changelogs += [path] if formats.begins(path) else []
        except DefinitionError as error:  # it may be a file of another kind
            broken.append(error)
    included = {file for path in changelogs for file in _changelog.read(path, root).files if file != path}
    found = [path for path in changelogs if path not in included]
    if len(found) > 1:
        named = ", ".join(path.relative_to(root).as_posix() for path in found)
        cause = f"which changelog is the master is not clear: no other one includes {named}"
        raise DefinitionError("liquibase", cause, "name the master alone under `inputs`: what it includes is found", Mark(found[0], 1))
    if broken and not found:
        raise broken[0]
    if not found:
        where = next(iter(files.values()), root)
        raise DefinitionError("liquibase", "no file of `inputs` is a changelog", "name the master changelog", Mark(where, 1))
    return found[0]


def _held(id_: str, author: str, file: str, every: Sequence[Changeset]) -> str:
    """The revision of which the table tells. From where Liquibase counts paths is its affair: what they end with has to be the same."""
    alike = [(_shared(one.place, file), one.id) for one in every if one.name == (id_, author)]
    ending, found = max(alike, default=(0, ""))
    return found if ending else f"{file}::{id_}::{author}"


def _shared(one: str, other: str) -> int:
    """How many parts both paths end with."""
    pairs = zip(reversed(PurePosixPath(one).parts), reversed(PurePosixPath(other).parts), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _below(file: Path, master: Path) -> str:
    folder = master.parent
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()
