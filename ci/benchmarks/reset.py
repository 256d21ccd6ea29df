"""reset: every store of the shop after a test that touched six tables, the cache and a stream, beside one that touched nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import seeder
from benchmarks.measure import ROOT, Case, Goal, Report, alternate, clock
from seeder.session import Session


@contextmanager
def environment(runtime: str) -> Iterator[Session]:
    with seeder.up("shop", scenario="checkout-ready", runtime=runtime, project=ROOT) as found:
        yield found


def in_place(times: int, runtime: str) -> Report:
    report = Report(f"reset, {runtime}", times, "ms")
    with environment(runtime) as found:
        tables = _tables(found)
        touched = Case("in place, 6 tables, cache and stream touched", lambda: _reset(found, tables))
        alternate(report, [touched, Case("nothing touched: hold, look, go on", lambda: _reset(found, {}))])
    if runtime == "local":
        report.goals = [Goal("in place", touched.name, None, 50)]
    report.notes.append("whole reset as a test waits for it; the second row is what holding services and looking for changes takes of it")
    return report


def _reset(found: Session, tables: Mapping[str, list[str]]) -> Mapping[str, float]:
    for store, statements in tables.items():
        for statement in statements:
            found.sql(store).rows(statement)
    if tables:
        _touch_cache(found.url("cache"))
        asyncio.run(_publish(found.url("events")))
    with clock() as seconds:
        found.reset()
    return {"total": seconds["total"] * 1000}


def _tables(found: Session) -> Mapping[str, list[str]]:
    """Two rows of each store's biggest tables are written anew: what is written is no matter, that it is a new version is."""
    biggest = "select relname from pg_stat_user_tables order by n_live_tup desc, relname limit :many"
    stores = {"customers-db": 1, "catalog-db": 1, "orders-db": 2, "billing-db": 1, "delivery-db": 1}
    return {
        store: [_touch(found, store, table) for (table,) in found.sql(store).rows(biggest, many=many)] for store, many in stores.items()
    }


def _touch(found: Session, store: str, table: str) -> str:
    columns = (
        "select column_name from information_schema.columns where table_name = :table and is_generated = 'NEVER' and is_identity = 'NO'"
    )
    column = min(name for (name,) in found.sql(store).rows(columns, table=table))
    return f'update "{table}" set "{column}" = "{column}" where ctid in (select ctid from "{table}" limit 2)'


def _touch_cache(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        client.set("bench", "touched")


async def _publish(url: str) -> None:
    import nats

    connection = await nats.connect(url)
    await connection.jetstream().publish("orders.bench", b"{}")
    await connection.close()


def both(times: int, *, docker: bool) -> list[Report]:
    return [in_place(times, "local"), *([in_place(times, "docker")] if docker else [])]
