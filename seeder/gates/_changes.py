"""What became of the tables that migrations made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seeder.passed.content import ColumnInfo, TableInfo

Change = tuple[str, str]  # table or table.column, and what became of it


def changes(made: Mapping[str, TableInfo], found: Mapping[str, TableInfo]) -> Iterator[Change]:
    """Every difference between the tables as they were made and the same ones as they are found; tables beside them do not count."""
    for name, table in sorted(made.items()):
        if name not in found:
            yield name, "the table is gone"
            continue
        yield from _of_columns(name, _columns(table), _columns(found[name]))
        if table.key != found[name].key:
            yield name, f"its primary key is {_listed(found[name].key)}, and was {_listed(table.key)}"
        yield from _of_constraints(name, table.constraints, found[name].constraints)


def added(made: Mapping[str, TableInfo], found: Mapping[str, TableInfo]) -> list[str]:
    """The tables beside them."""
    return sorted(set(found) - set(made))


def _columns(table: TableInfo) -> dict[str, ColumnInfo]:
    return {column.name: column for column in table.columns}


def _listed(columns: tuple[str, ...]) -> str:
    return f"({', '.join(columns)})" if columns else "none"


def _of_columns(table: str, made: Mapping[str, ColumnInfo], found: Mapping[str, ColumnInfo]) -> Iterator[Change]:
    for name, column in made.items():
        if name not in found:
            yield f"{table}.{name}", f"the column ({column.type}) is gone"
        elif column != found[name]:
            yield f"{table}.{name}", ", ".join(_of_column(column, found[name]))
    for name in found:
        if name not in made:
            yield f"{table}.{name}", f"the column ({found[name].type}) was added"


def _of_column(made: ColumnInfo, found: ColumnInfo) -> Iterator[str]:
    if made.type != found.type:
        yield f"it is {found.type}, and was {made.type}"
    if made.nullable != found.nullable:
        yield "it may be null, and might not be" if found.nullable else "it must not be null, and might be"
    if made.filled != found.filled:
        yield "it has a default, and had none" if found.filled else "it has no default, and had one"


def _of_constraints(table: str, made: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*made, *found}):
        if name not in found:
            yield table, f"{name} is gone: {made[name]}"
        elif name not in made:
            yield table, f"{name} was added: {found[name]}"
        elif made[name] != found[name]:
            yield table, f"{name} is {found[name]}, and was {made[name]}"
