"""What happened in a database since a moment, told from the numbers of transactions.

Every row version carries the number of the transaction that made it. A version is old when that number lies below the lowest one
that was still running at the moment (`threshold`), or is our own; as many old ones as there were then are all of them, untouched. So
nothing that committed later is missed, whatever was open at the moment, subtransactions included, which a snapshot does not list;
what committed just before it may be taken for new. Numbers are compared by age, which a wraparound does not disturb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seeder.frozen import frozen

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

LATER = "age(xmin) <= age(%(threshold)s::xid)"
NEW = f"({LATER} and xmin <> %(own)s::xid)"
OURS = 16384  # numbers of objects begin here; below are those that every database has
_SPAN = 2**31  # transactions whose order can be told from their short numbers

# Catalogues whose rows are told by another number than their own `oid`.
KEYS: Mapping[str, str] = {
    "pg_aggregate": "aggfnoid", "pg_attribute": "attrelid", "pg_depend": "objid", "pg_description": "objoid", "pg_foreign_table": "ftrelid",
    "pg_index": "indexrelid", "pg_inherits": "inhrelid", "pg_init_privs": "objoid", "pg_partitioned_table": "partrelid",
    "pg_range": "rngtypid", "pg_seclabel": "objoid", "pg_sequence": "seqrelid",
    "pg_subscription_rel": "srsubid", "pg_ts_config_map": "mapcfg",
}  # fmt: skip
# The one with the most rows that every database has; of these nothing can be changed but privileges.
_LARGE: Mapping[str, str] = {"pg_attribute": "attacl is not null"}

CATALOGUES = """
    select relname::text from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' and not relisshared
      and relname not in ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata')
    order by relname collate "C\""""


@frozen
class Reference:
    """A moment: `snapshot` is the server's own text when nothing was running, and empty otherwise; `own` a transaction of ours that
    only gave back what had been there."""

    snapshot: str
    threshold: int
    own: int = 0

    @property
    def parameters(self) -> dict[str, str]:
        return {"threshold": str(self.threshold % 2**32), "own": str(self.own % 2**32)}

    def is_now(self, snapshot: str) -> bool:
        """Whether nothing at all was written since, in the whole server."""
        return bool(self.snapshot) and self.snapshot == snapshot

    def is_too_old(self, snapshot: str) -> bool:
        return int(snapshot.split(":")[1]) - self.threshold >= _SPAN


def reference(snapshot: str, own: int = 0) -> Reference:
    """The moment of the snapshot; or that of the transaction `own`, which began then."""
    lowest, following, _ = snapshot.split(":")
    quiet = lowest == following
    if not own:
        return Reference(snapshot if quiet else "", int(lowest))
    return Reference(f"{own + 1}:{own + 1}:" if quiet and own == int(lowest) else "", int(lowest), own)


def catalogue_statement(names: Sequence[str]) -> bytes:
    """Counts per catalogue: rows, and new ones of them."""
    return " union all ".join(map(_catalogue, names)).encode()


def _catalogue(name: str) -> str:
    also = f" where {KEYS.get(name, 'oid')} >= {OURS} or {_LARGE[name]}" if name in _LARGE else ""
    return f"select '{name}', count(*), count(*) filter (where {LATER}) from pg_catalog.{name}{also}"  # noqa: S608  (constants)


def catalogues(connection: Connection, statement: bytes, since: Reference) -> dict[str, tuple[int, int]]:
    found = connection.execute(statement, {"threshold": since.parameters["threshold"]}, prepare=True).fetchall()
    return {name: (count, new) for name, count, new in found}


def moved(before: Mapping[str, int], now: Mapping[str, tuple[int, int]]) -> bool:
    """Whether something happened in any catalogue; its own rows have to tell what."""
    return any(new or count != before[name] for name, (count, new) in now.items())
