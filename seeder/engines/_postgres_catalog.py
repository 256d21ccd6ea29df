"""What the database's catalogue says of its tables: columns, constraints, sequences, materialised views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from seeder.engines import _postgres_queries as queries
from seeder.errors import nearest
from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

Kind = Literal["json", "array", "vector", "plain"]


@frozen
class Column:
    """`kind` says how structured values are written; `element` is that of an array's members."""

    name: str
    type: str
    nullable: bool
    kind: Kind = "plain"
    element: Kind = "plain"
    generated: bool = False
    identity: Literal["always", "default", ""] = ""
    filled: bool = False  # the database has a value for rows that leave it out


@frozen
class Constraint:
    """A constraint or a unique index; `definition` as SQL writes it. `target` is the table a foreign key leads to."""

    name: str
    kind: Literal["primary", "unique", "foreign", "other"]
    columns: tuple[str, ...]
    definition: str
    target: int | None = None
    deferrable: bool = False


@frozen
class Relation:
    """A table; `label` carries the schema unless it is the default one. A part is a partition of another."""

    oid: int
    schema: str
    name: str
    label: str
    part: bool
    only: bool  # reading it must leave out the tables that inherit from it
    columns: Mapping[str, Column]
    constraints: Mapping[str, Constraint]

    @property
    def key(self) -> tuple[str, ...]:
        return next((c.columns for c in self.constraints.values() if c.kind == "primary"), ())

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that are written, in the table's order."""
        return tuple(column for column in self.columns.values() if not column.generated)


@frozen
class Sequence:
    """`feeds`: (table, column) pairs whose default takes its values."""

    oid: int
    schema: str
    name: str
    label: str
    increment: int
    lowest: int
    highest: int
    feeds: tuple[tuple[int, str], ...]


class Catalogue:
    """The tables of a database by label, those that extensions made left out."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self.tables: dict[str, Relation] = {relation.label: relation for relation in relations}
        self.by_oid = {relation.oid: relation for relation in self.tables.values()}

    def find(self, name: str) -> Relation | None:
        """By label, or by `schema.table` in full."""
        if name in self.tables:
            return self.tables[name]
        return next((r for r in self.tables.values() if f"{r.schema}.{r.name}" == name), None)

    def hint(self, name: str) -> str:
        return nearest(name, list(self.tables)) if self.tables else "the database has no tables: is the store migrated?"

    @property
    def wholes(self) -> list[Relation]:
        """Tables without partitions, which are read through their parent; in the order of their labels."""
        return [self.tables[label] for label in sorted(self.tables) if not self.tables[label].part]


def read(connection: Connection, named: Iterable[str] | None = None) -> Catalogue:
    """Every table with its columns and constraints, in four queries; or those alone that may be meant by names."""
    asked = connection.execute(queries.TABLES) if named is None else connection.execute(queries.NAMED, {"names": list(named)})
    tables = asked.fetchall()
    oids = [row[0] for row in tables]
    columns: dict[int, dict[str, Column]] = {oid: {} for oid in oids}
    for oid, name, *about in connection.execute(queries.COLUMNS, [oids]):
        columns[oid][name] = _column(name, *about)
    constraints = _constraints(connection, oids)
    return Catalogue(
        Relation(oid, schema, name, _label(schema, name, default=default), part, plain, columns[oid], constraints[oid])
        for oid, schema, name, default, part, plain in tables
    )


def _column(
    name: str, kind: str, nullable: bool, generated: bool, identity: str, default: bool, base: str, category: str, element: str
) -> Column:
    identities: Mapping[str, Literal["always", "default"]] = {"a": "always", "d": "default"}
    filled = default or generated or identity != ""
    return Column(name, kind, nullable, _kind(base, category), _kind(element, ""), generated, identities.get(identity, ""), filled)


def _label(schema: str, name: str, *, default: bool) -> str:
    return name if default else f"{schema}.{name}"


def _kind(base: str, category: str) -> Kind:
    if base in {"json", "jsonb"}:
        return "json"
    if base in {"vector", "halfvec"}:
        return "vector"
    return "array" if category == "A" else "plain"


def _constraints(connection: Connection, oids: list[int]) -> dict[int, dict[str, Constraint]]:
    found: dict[int, dict[str, Constraint]] = {oid: {} for oid in oids}
    kinds: dict[str, Any] = {"p": "primary", "u": "unique", "f": "foreign"}
    for oid, name, kind, deferrable, target, definition, columns in connection.execute(queries.CONSTRAINTS, [oids]):
        made = Constraint(name, kinds.get(kind, "other"), tuple(columns or ()), definition, target or None, deferrable)
        found[oid][name] = made
    for oid, name, definition, columns in connection.execute(queries.UNIQUE_INDEXES, [oids]):
        found[oid].setdefault(name, Constraint(name, "unique", tuple(columns or ()), definition))
    return found


def sequences(connection: Connection) -> list[Sequence]:
    """All sequences by schema and name."""
    return [
        Sequence(
            oid,
            schema,
            name,
            _label(schema, name, default=default),
            step,
            low,
            high,
            tuple((int(table), column) for table, column in feeds),
        )
        for oid, schema, name, default, step, low, high, feeds in connection.execute(queries.SEQUENCES).fetchall()
    ]


def materialised_views(connection: Connection) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Each by its number: schema, name, and the numbers of the other materialised views it is made from, through views or not."""
    rows = connection.execute(queries.VIEWS).fetchall()
    known = {number for number, *_ in rows}
    return {number: (schema, name, tuple(source for source in sources if source in known)) for number, schema, name, sources in rows}
