"""Reads a database's portable form back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seeder.definition.dataset import Part
from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_finish as finish
from seeder.engines import _postgres_found as found
from seeder.engines import _postgres_order as ordering
from seeder.engines import _postgres_reset as emptying
from seeder.engines import _postgres_run as scripts
from seeder.engines import _saved_store
from seeder.engines._postgres_catalog import Catalogue, Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.engines._postgres_save import FORM, identifier
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.passed.content import Script
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_BLOCK = 1 << 16
SEQUENCE = "(a sequence)"  # no name of a column
LISTED = 5  # tables that are named


def restore(target: Target, folder: Path) -> None:
    """Replace all rows by the saved ones, in one transaction. A database with other tables gets those that were saved, which only a
    server of the same or a higher major version understands. Transactions that clients hold open are ended."""
    index = FORM.read(folder, "server", "tables", "sequences", "schema")
    with failing(target, "restored"):
        _end_transactions(target)
        with closing(connect(target)) as connection:
            catalogue = catalog.read(connection)
            if differing := _differing(connection, catalogue, index):
                catalogue = _replace_schema(connection, folder, index, target, differing)
            _fill(connection, catalogue, _paired(catalogue, index), folder)
            _set_sequences(connection, index)
            finish.refresh_views(connection)
            connection.commit()


def _end_transactions(target: Target) -> None:
    """Over a connection of its own: who is at work is told to a transaction once and for all."""
    with closing(connect(target, autocommit=True)) as connection:
        found.snapshot(connection, target.database or "")


def _differing(connection: Connection, catalogue: Catalogue, index: dict[str, Any]) -> list[str]:
    """The tables and sequences that are not those which were saved, by name and by their columns."""
    saved = {f"{entry['schema']}.{entry['name']}": set(entry["columns"]) for entry in index["tables"]}
    here = {f"{relation.schema}.{relation.name}": {column.name for column in relation.stored} for relation in catalogue.wholes}
    saved |= {f"{entry['schema']}.{entry['name']}": {SEQUENCE} for entry in index["sequences"]}
    here |= {f"{sequence.schema}.{sequence.name}": {SEQUENCE} for sequence in catalog.sequences(connection)}
    return sorted(name for name in saved.keys() | here.keys() if saved.get(name) != here.get(name))


def _replace_schema(connection: Connection, folder: Path, index: dict[str, Any], target: Target, differing: list[str]) -> Catalogue:
    """Whatever is in the database gives way to the schema that was saved. Raises EnvironmentFailed when this server does not take it."""
    why = f"the saved state has another schema (it differs in {', '.join(differing[:LISTED])}{', ...' if len(differing) > LISTED else ''})"
    remedy = "migrate to its revision: use the checkout that it was saved from"
    if not index["schema"]["file"]:
        raise EnvironmentFailed(target.store, f"{why}, and that was not saved: {index['schema']['missing']}", remedy)
    theirs, ours = index["server"] // 10000, connection.info.server_version // 10000
    if theirs > ours:
        cause = f"{why}, and a lower version does not understand the one that was saved: postgres {theirs} -> {ours}"
        raise EnvironmentFailed(target.store, cause, f"use postgres {theirs} or later, or {remedy}")
    path = _saved_store.file(folder, index["schema"])
    emptying.empty(connection)
    try:
        scripts.run(connection, Script(Part("sql", "", path.name, path, "sql")))
    except DefinitionError as error:
        raise EnvironmentFailed(target.store, f"this server does not take the saved schema: {error.problems[0].cause}", remedy) from error
    catalogue = catalog.read(connection)
    if differing := _differing(connection, catalogue, index):
        raise EnvironmentFailed(
            target.store, f"the saved schema is not that of what was saved; it differs in {', '.join(differing)}", remedy
        )
    return catalogue


def _paired(catalogue: Catalogue, index: dict[str, Any]) -> list[tuple[Relation, dict[str, Any]]]:
    """Each table with what was saved of it."""
    saved = {(entry["schema"], entry["name"]): entry for entry in index["tables"]}
    return [(relation, saved[relation.schema, relation.name]) for relation in catalogue.wholes]


def _fill(connection: Connection, catalogue: Catalogue, tables: list[tuple[Relation, dict[str, Any]]], folder: Path) -> None:
    """Triggers stay silent: their work is part of what was saved. A superuser switches foreign keys off with them."""
    from psycopg import sql

    entries = {relation.oid: entry for relation, entry in tables}
    free = connection.execute("select current_setting('is_superuser') = 'on'").fetchone() == (True,)
    order = ordering.of([relation for relation, _ in tables], catalogue)
    if free:
        connection.execute("set local session_replication_role = replica")
    else:
        _triggers(connection, order.tables, "disable")
        ordering.ease(connection, order.eased)
    if tables:
        connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(identifier(relation) for relation, _ in tables)))
    connection.execute("set constraints all deferred")
    for relation in order.tables:
        _copy_in(connection, relation, entries[relation.oid], folder)
    if free:
        connection.execute("set local session_replication_role = origin")
    else:
        ordering.tighten(connection, order.eased)
        _triggers(connection, order.tables, "enable")


def _triggers(connection: Connection, tables: Iterable[Relation], state: Literal["enable", "disable"]) -> None:
    from psycopg import sql

    for relation in tables:
        connection.execute(sql.SQL("alter table {} {} trigger user").format(identifier(relation), sql.SQL(state)))


def _copy_in(connection: Connection, relation: Relation, entry: dict[str, Any], folder: Path) -> None:
    from psycopg import sql

    columns = sql.SQL(", ").join(map(sql.Identifier, entry["columns"]))
    statement = sql.SQL("copy {} ({}) from stdin").format(identifier(relation), columns)
    with _saved_store.file(folder, entry).open("rb") as file, connection.cursor().copy(statement) as stream:
        while block := file.read(_BLOCK):
            stream.write(block)


def _set_sequences(connection: Connection, index: dict[str, Any]) -> None:
    here = {(sequence.schema, sequence.name): sequence for sequence in catalog.sequences(connection)}
    for entry in index["sequences"]:
        finish.set_next(connection, here[entry["schema"], entry["name"]], entry["next"])
