"""reset: every store of the shop after a test that touched six tables, the cache and a stream.

In place beside holding its services alone; by swap beside the statements that copy the databases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg import sql

import seeder
from benchmarks.measure import ROOT, Case, Goal, Report, alternate, clock, shop
from seeder.passed.rewound import Way
from seeder.running import hold
from seeder.session import Session
from seeder.stages import reset as resetting

STORES = {"customers-db": 1, "catalog-db": 1, "orders-db": 2, "billing-db": 1, "delivery-db": 1}  # how many tables of each are touched
KEPT = "select datname, current_setting('fsync') = 'on' from pg_database where datname like 'seeder\\_marked\\_%'"
IN_PLACE, HELD = "in place, 6 tables, cache and stream touched", "nothing touched: hold, look, go on"
SWAP, COPIES = "swap, 6 tables, cache and stream touched", "CREATE DATABASE ... TEMPLATE of the five, at the same time"
# Services whose stores were swapped start anew unless they say that they connect again: here the databases are measured.
RECONNECTS = "services:\n" + "".join(f"  {store}: {{x-seeder: {{reset: {{reconnects: true}}}}}}\n" for store in STORES)


def both(times: int, runtimes: Iterable[str]) -> Iterator[Report]:
    for runtime in runtimes:
        yield in_place(times, runtime)
        yield swap(times, runtime)


def in_place(times: int, runtime: str) -> Report:
    report = Report(f"reset in place, {runtime}", times, "ms")
    with seeder.up("shop", scenario="checkout-ready", runtime=runtime, project=ROOT) as found:
        tables = _tables(found)
        alternate(report, [Case(IN_PLACE, lambda: _apart(found, tables)), Case(HELD, lambda: _apart(found, {}))])
    report.goals = [Goal("in place", IN_PLACE, None, 50, "total" if runtime == "local" else "beyond the hold")]
    report.notes.append("total: as a test waits for it; hold: holding the five services and letting them go on, done once more by itself")
    return report


def swap(times: int, runtime: str) -> Report:
    """Beside the copies alone, of the same databases on the same servers in the same way."""
    report = Report(f"reset by swap, {runtime}", times, "ms")
    with shop() as project:
        _override(project, RECONNECTS)
        with seeder.up("shop", scenario="checkout-ready", runtime=runtime, project=project) as found:
            tables = _tables(found)
            alternate(report, [Case(SWAP, lambda: _apart(found, tables, "swap")), Case(COPIES, lambda: _copies(found))])
    report.goals = [Goal("swap", SWAP, COPIES, 1.2)]
    report.notes.append("with the hold; services connect again by themselves, cache and stream are taken back, too")
    return report


def _override(project: Path, text: str) -> None:
    (project / "stacks/shop/bench.yaml").write_text(text, encoding="utf-8")
    manifest = project / "manifest.yaml"
    files = "compose: [stacks/shop/compose.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(files, f"{files}, stacks/shop/bench.yaml"), encoding="utf-8")


def _apart(found: Session, tables: Mapping[str, list[str]], way: Way = "in place") -> Mapping[str, float]:
    """`Session.reset` takes the quicker way; that of `seeder reset --way swap` is asked for where that command asks for it."""
    here = found._environment  # noqa: SLF001  (and holding is what a reset does first and last, and offers to nobody alone)
    total = _reset(found, tables, lambda: resetting.reset(here, here.plan, way))["total"]
    services = found.running()
    with clock() as held, hold.still(here, services):
        pass
    alone = held["total"] * 1000
    return {"hold": alone, "beyond the hold": total - alone, "total": total}


def _copies(found: Session) -> Mapping[str, float]:
    """From the copy that seeder keeps of each database at its mark, by the strategy that it takes."""
    found.reset()  # what the last swap replaced is being removed in the background
    with ExitStack() as undo:
        servers = [undo.enter_context(psycopg.connect(found.url(store), dbname="postgres", autocommit=True)) for store in STORES]
        copies = [_copy(server) for server in servers]
        try:
            with clock() as seconds, ThreadPoolExecutor(len(servers)) as pool:
                list(pool.map(psycopg.Connection.execute, servers, copies))
        finally:
            for server in servers:
                server.execute("drop database if exists bench")
    return {"total": seconds["total"] * 1000}


def _copy(server: psycopg.Connection) -> sql.Composed:
    ((template, flushed),) = server.execute(KEPT).fetchall()
    words = "create database bench template {}" if flushed else "create database bench template {} strategy file_copy"
    return sql.SQL(words).format(sql.Identifier(template))


def _reset(found: Session, tables: Mapping[str, list[str]], reset: Callable[[], object]) -> Mapping[str, float]:
    for store, statements in tables.items():
        for statement in statements:
            found.sql(store).rows(statement)
    if tables:
        _touch_cache(found.url("cache"))
        asyncio.run(_publish(found.url("events")))
    with clock() as seconds:
        reset()
    return {"total": seconds["total"] * 1000}


def _tables(found: Session) -> Mapping[str, list[str]]:
    """Two rows of each store's biggest tables are written anew: what is written is no matter, that it is a new version is."""
    biggest = "select relname from pg_stat_user_tables order by n_live_tup desc, relname limit :many"
    return {
        store: [_touch(found, store, table) for (table,) in found.sql(store).rows(biggest, many=many)] for store, many in STORES.items()
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
