"""A store's way through its history: to its head, to a halt before that, and what is left from there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from seeder.definition.stack import Store
from seeder.errors import counted
from seeder.passed.fitness import Revision
from seeder.passed.operation import Load, Migrate

LISTED = 8  # revisions that are named in one line; --json holds all of them


def to_head(store: Store, revisions: tuple[Revision, ...]) -> Migrate:
    """All of it."""
    tool = store.migrate.tool if store.migrate else ""
    return _told(Migrate(store.name, "", "the store starts empty", store, tool, revisions))


def until(operation: Migrate, revision: str, cause: str) -> Migrate:
    """Its beginning, up to a revision of it."""
    place = [one.id for one in operation.revisions].index(revision)
    return _told(replace(operation, revisions=operation.revisions[: place + 1], cause=cause))


def beyond(operation: Migrate, since: str, cause: str) -> Migrate | None:
    """What is left of it for a store that stands at a revision already; nothing where that is not before its last one."""
    ids = [one.id for one in operation.revisions]
    if since not in ids[:-1]:
        return None
    if operation.since in ids and ids.index(since) <= ids.index(operation.since):
        return operation
    return _told(replace(operation, since=since, cause=cause))


def halting(operation: Migrate, loads: Mapping[str, Sequence[Load]]) -> Iterator[Migrate | Load]:
    """The same way with halts at which rows go in (`loads`: revision -> what is loaded there), and its last part."""
    rest: Migrate | None = operation
    for revision in operation.revisions:
        for load in (found := loads.get(revision.id, ()))[:1]:
            yield until(rest or operation, revision.id, f"{load.subject} is loaded at this revision")
        yield from found
        if found:
            rest = beyond(operation, revision.id, f"over the rows of {found[-1].subject}")
    if rest:
        yield rest


def _told(operation: Migrate) -> Migrate:
    ids = [one.id for one in operation.revisions]
    if operation.since:
        way = f"{operation.since} -> {ids[-1]}"
        return replace(operation, detail=f"{way}: {counted(len(ids) - ids.index(operation.since) - 1, 'revision')} by {operation.tool}")
    said = f"{_listed(ids)}: {counted(len(ids), 'revision')} by {operation.tool}" if ids else _unlisted(operation.store)
    return replace(operation, detail=said)


def _listed(ids: Sequence[str]) -> str:
    """All, or of many the first and the last ones."""
    return ", ".join(ids if len(ids) <= LISTED else [*ids[: LISTED - 3], "...", *ids[-2:]])


def _unlisted(store: Store) -> str:
    """What migrates a store of which no revisions are known: a program without `inputs`, or a history that is empty."""
    migrate = store.migrate
    if migrate and migrate.service:
        return f"all that service {migrate.service} does"
    return f"all that `{' '.join(migrate.command)}` does" if migrate and migrate.command else "no revisions"
