"""One load into a database: a single transaction of table files and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from seeder.engines import _postgres_blame as blame
from seeder.engines import _postgres_catalog as catalog
from seeder.engines import _postgres_finish as finish
from seeder.engines import _postgres_order as ordering
from seeder.engines import _postgres_run as scripts
from seeder.engines import _postgres_tables as tables
from seeder.engines._postgres_blame import Placed
from seeder.engines._postgres_catalog import Catalogue
from seeder.engines._postgres_connection import connect, driver
from seeder.engines._postgres_order import Order
from seeder.errors import Collector, DefinitionError, Mark, nearest
from seeder.passed.content import Records, Script, Table
from seeder.passed.target import Target
from seeder.protocols import Finality

_CANCEL_SECONDS = 5.0


class PostgresSession:
    """One transaction, in which all that a commit could refuse is refused by `verify`."""

    finality = Finality.CERTAIN

    def __init__(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> None:
        self._store = target.store
        self._upsert = upsert
        self._natural_keys = natural_keys
        self._loaded: list[Placed] = []
        self._connection = connect(target)
        self._settle()

    def load(self, records: Sequence[Records]) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        with self._refusals():
            for name, count in self._tables([item for item in records if isinstance(item, Table)]):
                counts[name] = counts.get(name, 0) + count
            for script in (item for item in records if isinstance(item, Script)):
                counts[script.part.name] = counts.get(script.part.name, 0) + self._script(script)
        return counts

    def verify(self) -> None:
        """Constraints first: a trigger that waits for the commit may write rows too."""
        with self._refusals():
            self._connection.execute("set constraints all immediate")
            finish.advance_sequences(self._connection, catalog.read(self._connection))
            finish.refresh_views(self._connection)

    def commit(self) -> None:
        with self._refusals():
            self._connection.commit()
        self._connection.close()

    def rollback(self) -> None:
        """The server takes back what was not committed. Another thread may still be in `load`, left behind by a signal or the time
        limit: what it does is cancelled, and the connection is never closed under its hands."""
        connection = self._connection
        if connection.pgconn.transaction_status == driver().pq.TransactionStatus.ACTIVE:
            with suppress(driver().Error):
                connection.cancel_safe(timeout=_CANCEL_SECONDS)
        if connection.lock.acquire(timeout=_CANCEL_SECONDS):
            try:
                connection.close()
            finally:
                connection.lock.release()

    def _settle(self) -> None:
        """Messages in English, so that they can be read, as far as the role may say so."""
        self._connection.execute("select set_config('lc_messages', 'C', true) where current_setting('is_superuser') = 'on'")
        self._connection.execute("set constraints all deferred")

    def _tables(self, records: Sequence[Table]) -> Iterator[tuple[str, int]]:
        catalogue = catalog.read(self._connection)
        placed = place(records, catalogue)
        keys = {id(item): self._key(item) for item in placed} if self._upsert else {}
        self._loaded += placed
        order = ordering.of({item.relation.label: item.relation for item in placed}.values(), catalogue)
        if order.eased:
            self._ease(order)
        for relation in order.tables:
            for item in (item for item in placed if item.relation.oid == relation.oid):
                yield item.table.name, self._fill(item, keys.get(id(item)))
        ordering.tighten(self._connection, order.eased)

    def _ease(self, order: Order) -> None:
        self._connection.execute("set constraints all immediate")  # nothing may be pending on a table that is altered
        ordering.ease(self._connection, order.eased)
        self._connection.execute("set constraints all deferred")

    def _fill(self, item: Placed, key: tuple[str, ...] | None) -> int:
        if not item.table.columns:
            return 0
        with self._refusals(item):
            return tables.copy(self._connection, item) if key is None else tables.upsert(self._connection, item, key)

    def _key(self, item: Placed) -> tuple[str, ...]:
        name, relation = item.table.name, item.relation
        key = self._natural_keys.get(name) or self._natural_keys.get(relation.label) or relation.key
        hint = f"declare it in the manifest: natural_keys: {{{self._store}.{name}: [COLUMN]}}"
        if not key:
            raise item.problem(1, "", "the table has no primary key by which rows that are there already could be known", hint)
        missing = [column for column in key if column not in item.table.columns]
        if missing and item.table.columns:
            raise item.problem(1, missing[0], f"the file lacks {', '.join(missing)}, by which its rows are known", f"add it, or {hint}")
        return key

    def _script(self, script: Script) -> int:
        rows, unchecked = scripts.run(self._connection, script)
        self._settle()
        if unchecked:
            finish.recheck_foreign_keys(self._connection, catalog.read(self._connection))
        self._connection.execute("set constraints all immediate")
        self._connection.execute("set constraints all deferred")
        return rows

    @contextmanager
    def _refusals(self, current: Placed | None = None) -> Iterator[None]:
        psycopg = driver()
        try:
            yield
        except psycopg.Error as error:
            if blame.is_servers(error):
                raise blame.lost(self._store, error) from error
            raise blame.refusal(error, self._loaded, current) from error


def place(records: Sequence[Table], catalogue: Catalogue) -> list[Placed]:
    """The table of each file. Raises DefinitionError with every table and column that is not there or cannot be written."""
    wrong = Collector()
    placed: list[Placed] = []
    for table in records:
        mark = Mark(table.part.path, 1)
        relation = catalogue.find(table.name)
        if relation is None:
            wrong.add(table.name, "there is no such table", catalogue.hint(table.name), mark)
            continue
        for name in table.columns:
            column = relation.columns.get(name)
            if column is None:
                wrong.add(f"{table.name}.{name}", "the table has no such column", nearest(name, list(relation.columns)), mark)
            elif column.generated:
                wrong.add(f"{table.name}.{name}", "the database computes this column itself", "leave it out of the file", mark)
        placed.append(Placed(table, relation))
    wrong.raise_if_any(DefinitionError)
    return placed
