"""Rows of table files into tables: plain COPY into what is empty, or brought to the file's values where they may be there already.

The second way is an UPDATE of the rows that differ and an INSERT of those that are missing, from a temporary table. ON CONFLICT
would draw a sequence value and fire insert triggers for every row that is there already, and wants a unique index that is not
deferrable; this leaves alone what is as it should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from seeder.engines import _postgres_values as values
from seeder.engines._postgres_blame import Placed, narrowed
from seeder.passed.content import Row

if TYPE_CHECKING:
    from psycopg import sql

    from seeder.engines._postgres_connection import Connection

_BLOCK = 1 << 16  # characters sent at once
_LINE = "seeder line"  # a column of the temporary table


def copy(connection: Connection, placed: Placed) -> int:
    """Add the rows; answer how many. The database's own error where one does not fit."""
    from psycopg import sql

    target = sql.Identifier(placed.relation.schema, placed.relation.name)
    return _copy(connection, placed, target, placed.table.columns, lambda row: row.values)


def _copy(connection: Connection, placed: Placed, target: sql.Composable, columns: tuple[str, ...], cells: Callable[[Row], Any]) -> int:
    from psycopg import sql

    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    count = 0
    with connection.cursor().copy(sql.SQL("copy {} ({}) from stdin").format(target, names)) as stream:
        for block, rows in _blocks(placed, cells):
            stream.write(block)
            count += rows
    return count


def _blocks(placed: Placed, cells: Callable[[Row], Any]) -> Iterator[tuple[bytes, int]]:
    documents = placed.table.part.format in {"jsonl", "yaml"}
    renders = [values.renderer(placed.relation.columns[name], documents=documents) for name in placed.table.columns]
    block: list[bytes] = []
    size = rows = 0
    for row in placed.table.rows():
        block.append(_line(placed, row, renders, cells))
        size += len(block[-1])
        rows += 1
        if size >= _BLOCK:
            yield b"".join(block), rows
            block, size, rows = [], 0, 0
    yield b"".join(block), rows


def _line(placed: Placed, row: Row, renders: list[values.Render], cells: Callable[[Row], Any]) -> bytes:
    texts: list[str | None] = []
    for name, render, value in zip(placed.table.columns, renders, row.values, strict=True):
        try:
            texts.append(render(value))
        except values.Unfit as error:
            kind = placed.relation.columns[name].type
            raise placed.problem(row.line, name, f"the file gives {error}, and the column is {kind}") from error
    extra = cells(row)[len(texts) :]
    try:
        return values.line([*texts, *map(str, extra)]).encode()
    except UnicodeEncodeError as error:
        raise placed.problem(row.line, "", f"{error.object[error.start]!r} is half a character (a lone surrogate)") from error


def upsert(connection: Connection, placed: Placed, key: tuple[str, ...]) -> int:
    """Bring the table's rows to the file's values, known by `key`; answer how many rows the file has."""
    from psycopg import sql

    incoming = sql.SQL("pg_temp.seeder_incoming")
    chosen = sql.SQL(", ").join(map(sql.Identifier, placed.table.columns))
    target = sql.Identifier(placed.relation.schema, placed.relation.name)
    make = "create temporary table seeder_incoming on commit drop as select {}, 0 as {} from {} with no data"
    connection.execute(sql.SQL(make).format(chosen, sql.Identifier(_LINE), target))
    count = _copy(connection, placed, incoming, (*placed.table.columns, _LINE), lambda row: (*row.values, row.line))
    _refuse_bad_keys(connection, placed, key)
    _merge(connection, placed, key)
    connection.execute(sql.SQL("drop table {}").format(incoming))
    return count


def _merge(connection: Connection, placed: Placed, key: tuple[str, ...]) -> None:
    """Change rows that differ, then add those that are missing. Values stand in the statements: a name may hold a percent sign,
    which the driver would take for a parameter."""
    last = connection.execute('select coalesce(max("seeder line"), 0) from pg_temp.seeder_incoming').fetchone()
    top = int(last[0]) if last else 0
    changed = [name for name in placed.table.columns if name not in key and placed.relation.columns[name].identity != "always"]
    if changed:
        narrowed(connection, lambda upto: connection.execute(_update(placed, key, changed, upto)), top, placed)
    narrowed(connection, lambda upto: connection.execute(_insert(placed, key, upto)), top, placed)


def _update(placed: Placed, key: tuple[str, ...], columns: list[str], upto: int) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(
        "update {target} t set {sets} from pg_temp.seeder_incoming x where {same} "
        "and ({ours}) is distinct from ({theirs}) and x.{line} <= {upto}"
    ).format(
        target=sql.Identifier(placed.relation.schema, placed.relation.name),
        sets=sql.SQL(", ").join(sql.SQL("{0} = x.{0}").format(sql.Identifier(name)) for name in columns),
        same=_same(key),
        ours=_texts("t", columns),
        theirs=_texts("x", columns),
        line=sql.Identifier(_LINE),
        upto=sql.Literal(upto),
    )


def _insert(placed: Placed, key: tuple[str, ...], upto: int) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(
        "insert into {target} ({columns}) overriding system value select {columns} from pg_temp.seeder_incoming x "
        "where x.{line} <= {upto} and not exists (select from {target} t where {same}) order by x.{line}"
    ).format(
        target=sql.Identifier(placed.relation.schema, placed.relation.name),
        columns=sql.SQL(", ").join(map(sql.Identifier, placed.table.columns)),
        same=_same(key),
        line=sql.Identifier(_LINE),
        upto=sql.Literal(upto),
    )


def _same(key: tuple[str, ...]) -> sql.Composable:
    from psycopg import sql

    return sql.SQL(" and ").join(sql.SQL("t.{0} = x.{0}").format(sql.Identifier(name)) for name in key)


def _texts(alias: str, columns: list[str]) -> sql.Composable:
    """Compared as text: every type has one, and 1.0 is not 1.00."""
    from psycopg import sql

    return sql.SQL("row({})").format(sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(alias, name)) for name in columns))


def _refuse_bad_keys(connection: Connection, placed: Placed, key: tuple[str, ...]) -> None:
    from psycopg import sql

    table, line = sql.SQL("pg_temp.seeder_incoming"), sql.Identifier(_LINE)
    names = sql.SQL(", ").join(map(sql.Identifier, key))
    shown, what = ", ".join(key), placed.relation
    null = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(name)) for name in key)
    row = connection.execute(sql.SQL("select {0} from {1} where {2} order by {0} limit 1").format(line, table, null)).fetchone()
    if row:
        raise placed.problem(row[0], shown, "the value is empty, and rows are told apart by it", "give it a value")
    twice = sql.SQL("select min({0}), max({0}) from {1} group by {2} having count(*) > 1 order by 1 limit 1").format(line, table, names)
    if row := connection.execute(twice).fetchone():
        raise placed.problem(
            row[1], shown, f"line {row[0]} holds the same {shown}, and a row of {what.label} is told by it", "remove one of them"
        )
    for name in placed.table.columns:
        if name not in key and what.columns[name].identity == "always":
            _refuse_other_identity(connection, placed, key, name)


def _refuse_other_identity(connection: Connection, placed: Placed, key: tuple[str, ...], column: str) -> None:
    from psycopg import sql

    found = connection.execute(
        sql.SQL(
            "select x.{line}, t.{column}::text from pg_temp.seeder_incoming x join {target} t on {same} where {ours} <> {theirs} limit 1"
        ).format(
            line=sql.Identifier(_LINE),
            column=sql.Identifier(column),
            target=sql.Identifier(placed.relation.schema, placed.relation.name),
            same=_same(key),
            ours=_texts("t", [column]),
            theirs=_texts("x", [column]),
        )
    ).fetchone()
    if found:
        cause = f"the row is there with {column} = {found[1]}, and the database never changes such a number (generated always as identity)"
        raise placed.problem(found[0], column, cause, f"leave {column} out of the file, or give it that value")
