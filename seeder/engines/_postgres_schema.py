"""A hash of all that a schema consists of: the catalogues' own rows, without what storage and statistics write into them.

Of the rows that every database has it counts how many there are, and which are new: they never change but by hand.
Temporary objects and TOAST tables do not count. Dropped and made again is another object, and counts as a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seeder.engines._postgres_news import KEYS, LATER, OURS, Reference

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

# What TRUNCATE, VACUUM, ANALYZE, CLUSTER and REINDEX leave behind, and hints that follow from other catalogues.
_ACCIDENTAL = {
    "relfilenode", "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid", "relhasindex", "relhasrules",
    "relhastriggers", "relhassubclass", "relrewrite", "reltoastrelid", "indcheckxmin",
}  # fmt: skip
# The columns that tell whose part a row is.
_BELONGS: Mapping[str, tuple[str, ...]] = {
    "pg_attrdef": ("adrelid",), "pg_constraint": ("oid", "conrelid"), "pg_depend": ("objid", "refobjid"), "pg_enum": ("enumtypid",),
    "pg_index": ("indexrelid", "indrelid"), "pg_policy": ("polrelid",), "pg_publication_rel": ("prrelid",), "pg_rewrite": ("ev_class",),
    "pg_statistic_ext": ("stxrelid",), "pg_trigger": ("tgrelid",),
}  # fmt: skip

_PASSING = """
    with spaces as (select oid from pg_namespace where nspname ~ '^pg_(toast_)?temp_' or nspname = 'pg_toast'),
    tables as (select oid from pg_class where relnamespace in (select oid from spaces)),
    passing as materialized (
        select oid from spaces union all select oid from tables
        union all select oid from pg_type where typnamespace in (select oid from spaces)
        union all select oid from pg_proc where pronamespace in (select oid from spaces)
        union all select oid from pg_constraint where connamespace in (select oid from spaces)
        union all select oid from pg_rewrite where ev_class in (select oid from tables)
        union all select oid from pg_trigger where tgrelid in (select oid from tables)
        union all select oid from pg_attrdef where adrelid in (select oid from tables)
        union all select oid from pg_policy where polrelid in (select oid from tables)
    )"""
_COLUMNS = """
    select attname::text from pg_attribute where attrelid = ('pg_catalog.' || %s)::regclass and attnum > 0 and not attisdropped
    order by attnum"""


def hashes(connection: Connection, names: Sequence[str], since: Reference) -> dict[str, str]:
    """One per catalogue."""
    statement = " union all ".join(_hash(name, [row[0] for row in connection.execute(_COLUMNS, [name])]) for name in names)
    return dict(connection.execute(f"{_PASSING} {statement}".encode(), {"threshold": since.parameters["threshold"]}).fetchall())


def _hash(name: str, columns: Sequence[str]) -> str:
    shown = ", ".join(f"c.{column}" for column in columns if column not in _ACCIDENTAL)
    key = KEYS.get(name, "oid")
    kept = [f"c.{key} >= {OURS}"]
    kept += [f"c.{column} not in (select oid from passing)" for column in dict.fromkeys((*_BELONGS.get(name, ()), key))]  # noqa: S608
    return (
        f"select '{name}', concat_ws(' ', (select sum(hashtextextended(row({shown})::text, 0)::numeric) from pg_catalog.{name} c "  # noqa: S608
        f"where {' and '.join(kept)}), (select count(*) from pg_catalog.{name} where {key} < {OURS}), "
        f"(select count(*) from pg_catalog.{name} where {key} < {OURS} and {LATER}))"
    )
