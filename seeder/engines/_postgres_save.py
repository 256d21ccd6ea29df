"""A database's portable form: a COPY file per table, sequences, the schema as SQL, and a JSON that says what is there.

The schema is written by pg_dump where one is at hand that is not older than the server; where none is, the JSON says so.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_finish as finish
from seeder.engines import _postgres_local as local
from seeder.engines import _postgres_query as query
from seeder.engines import _saved_store
from seeder.engines._postgres_catalog import Relation
from seeder.engines._postgres_connection import connect, failing
from seeder.machine import process
from seeder.passed.target import Target

if TYPE_CHECKING:
    from psycopg import sql

    from seeder.engines._postgres_connection import Connection

FORM = _saved_store.Form("postgres", 1)
_SCHEMA = "schema.sql"
_DUMP_SECONDS = 120.0
_LOCK_TIMEOUT = "5s"  # evidence is taken in the middle of what failed: a migration that hangs may hold its tables


def save(target: Target, folder: Path) -> None:
    """Taken from one state of the database, whoever writes meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with failing(target, "saved"), closing(connect(target)) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        connection.execute("select set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
        catalogue = catalog.read(connection)
        tables = [_save_table(connection, relation, folder, place) for place, relation in enumerate(catalogue.wholes, 1)]
        sequences = [
            {"schema": one.schema, "name": one.name, "next": finish.next_value(connection, one)} for one in catalog.sequences(connection)
        ]
        version = connection.info.server_version
    schema = _save_schema(target, folder / _SCHEMA, version // 10000)
    FORM.write(folder, {"server": version, "tables": tables, "sequences": sequences, "schema": schema})


def _save_table(connection: Connection, relation: Relation, folder: Path, place: int) -> dict[str, Any]:
    from psycopg import sql

    source = sql.SQL("select {} from {} {}").format(names(relation), sql.SQL("only" if relation.only else ""), identifier(relation))
    copy = sql.SQL("copy ({}) to stdout").format(source)
    with _saved_store.writing(folder / f"{place:04d}.copy") as rows, connection.cursor().copy(copy) as stream:
        for line in stream:
            rows.write(line)
    columns = [column.name for column in relation.stored]
    return {"schema": relation.schema, "name": relation.name, "columns": columns, "rows": rows.count, **rows.entry}


def names(relation: Relation) -> sql.Composable:
    from psycopg import sql

    return sql.SQL(", ").join(sql.Identifier(column.name) for column in relation.stored)


def identifier(relation: Relation) -> sql.Composable:
    from psycopg import sql

    return sql.Identifier(relation.schema, relation.name)


def _save_schema(target: Target, path: Path, server: int) -> dict[str, Any]:
    program = _dump_program(server)
    if program is None:
        return {"file": None, "missing": f"no pg_dump of version {server} or later is at hand"}
    _, environment = query.client(target)
    options = ["--schema-only", f"--lock-wait-timeout={_LOCK_TIMEOUT}", "--no-owner", "--no-privileges", "--no-comments", f"--file={path}"]
    done = process.run([program, *options], timeout=_DUMP_SECONDS, environment=environment)
    if done.code != 0:
        path.unlink(missing_ok=True)
        return {"file": None, "missing": f"pg_dump: {done.tail(3)}"}
    text = re.sub(r"^\\(un)?restrict .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)  # a word that differs each time
    path.write_text(text, encoding="utf-8")
    return _saved_store.entry(path)


def _dump_program(server: int) -> str | None:
    embedded = local.programs()
    for program in (process.find("pg_dump"), str(embedded / "pg_dump") if embedded else None):
        if program:
            found = re.search(r"\b(\d+)\.", process.run([program, "--version"], timeout=10.0).output)
            if found and int(found[1]) >= server:
                return program
    return None
