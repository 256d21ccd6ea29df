"""Reads a database's portable form back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seeder.content import Script
from seeder.definition.dataset import Part
from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_finish as finish
from seeder.engines import _postgres_order as ordering
from seeder.engines import _postgres_run as scripts
from seeder.engines import _saved_store
from seeder.engines._postgres_catalog import Catalogue, Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.engines._postgres_save import FORM, identifier
from seeder.errors import EnvironmentFailed
from seeder.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_BLOCK = 1 << 16


def restore(target: Target, folder: Path) -> None:
    """Replace all rows by the saved ones, in one transaction; an empty database gets its schema first."""
    index = FORM.read(folder, "tables", "sequences", "schema")
    with failing(target, "restored"), closing(connect(target)) as connection:
        catalogue = catalog.read(connection)
        if not catalogue.tables and index["tables"]:
            catalogue = _make_schema(connection, folder, index)
        tables = _fitting(catalogue, index, target)
        _fill(connection, catalogue, tables, folder)
        _set_sequences(connection, index)
        finish.refresh_views(connection)
        connection.commit()


def _make_schema(connection: Connection, folder: Path, index: dict[str, Any]) -> Catalogue:
    if not index["schema"]["file"]:
        raise EnvironmentFailed(
            str(folder), f"the database is empty and the schema was not saved: {index['schema']['missing']}", "migrate it first"
        )
    path = _saved_store.file(folder, index["schema"])
    scripts.run(connection, Script(Part("sql", "", path.name, path, "sql")))
    return catalog.read(connection)


def _fitting(catalogue: Catalogue, index: dict[str, Any], target: Target) -> list[tuple[Relation, dict[str, Any]]]:
    """Each table that is there with what was saved of it. Raises EnvironmentFailed when the two schemas differ."""
    saved = {(entry["schema"], entry["name"]): entry for entry in index["tables"]}
    here = {(relation.schema, relation.name): relation for relation in catalogue.wholes}
    differing = sorted(f"{schema}.{name}" for schema, name in saved.keys() ^ here.keys())
    common = sorted(saved.keys() & here.keys())
    differing += [f"{s}.{n}" for s, n in common if set(saved[s, n]["columns"]) != {column.name for column in here[s, n].stored}]
    if differing:
        raise EnvironmentFailed(
            target.store, f"the saved state has another schema; it differs in {', '.join(differing)}", "migrate to its revision"
        )
    return [(here[key], saved[key]) for key in common]


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
        sequence = here.get((entry["schema"], entry["name"]))
        if sequence is None:
            raise EnvironmentFailed(
                f"{entry['schema']}.{entry['name']}", "the saved sequence is not there", "migrate to the saved state's revision"
            )
        finish.set_next(connection, sequence, entry["next"])
