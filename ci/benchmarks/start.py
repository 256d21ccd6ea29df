"""start, start-local: a whole `seeder run` of the shop, from layers and cold, beside the same stack started bare."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

import seeder
from benchmarks import bare
from benchmarks.measure import ROOT, SHOP, Case, Goal, Report, alternate, clock, docker_answers, run

COMPOSE = ["docker", "compose", "-f", str(ROOT / "stacks/shop/compose.yaml"), "-p", f"seeder-bench-{os.getpid()}"]
UP = "docker compose up --wait, no data"
TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' order by tablename"
COLUMNS = """select column_name from information_schema.columns where table_schema = 'public' and table_name = %s
             and is_generated = 'NEVER' order by ordinal_position"""


def docker(times: int) -> Report | None:
    """Bare is `docker compose up --wait`, which migrates by its one-shots, and `down -v`."""
    if not docker_answers():
        return None
    report = Report("start", times)
    subprocess.run([*COMPOSE, "build", "--quiet"], check=True, capture_output=True)
    scripts = _scripts()  # makes the image under seeder's own name, and the layers
    cold = Case("seeder run, cold", lambda: run(*SHOP, "--runtime", "docker", "--no-cache"))
    layers = Case("seeder run, from layers", lambda: run(*SHOP, "--runtime", "docker"))
    alternate(report, [layers, Case(UP, lambda: _compose({})), Case("the same, and its rows by COPY", lambda: _compose(scripts)), cold])
    report.goals = [
        Goal("from layers, whole runs", layers.name, UP, 1.0),
        Goal("from layers, with data on both sides", layers.name, "the same, and its rows by COPY", 1.0),
        Goal("from layers", layers.name, cold.name, 0.25),
    ]
    report.notes.append(
        "both sides take the same images and migrate; compose loads the rows of the five databases, no keys or messages, checks nothing"
    )
    return report


def local(times: int) -> Report:
    """Cold beside from layers, and beside the same processes without seeder."""
    report = Report("start-local", times)
    with bare.recorded() as stack:
        layers = Case("seeder run, from layers", lambda: run(*SHOP, "--runtime", "local"))
        processes = Case("the same processes, bare", stack.once)
        cold = Case("seeder run, cold", lambda: run(*SHOP, "--runtime", "local", "--no-cache"))
        alternate(report, [layers, processes, cold])
    report.goals = [Goal("from layers", layers.name, processes.name, 1.2), Goal("from layers", layers.name, cold.name, 0.25)]
    report.notes.append(
        "bare: the same programs, words, variables and order of start, on folders that were copied before; nothing is checked or removed"
    )
    return report


def _compose(scripts: Mapping[str, str]) -> Mapping[str, float]:
    """`scripts`: what psql is given of each database server."""
    up: dict[str, float] = {}
    load: dict[str, float] = {}
    try:
        with clock() as up:
            subprocess.run([*COMPOSE, "up", "--wait", "--quiet-pull"], check=True, capture_output=True)
        with clock() as load, ThreadPoolExecutor(len(scripts) or 1) as pool:
            list(pool.map(_psql, scripts, scripts.values()))
    finally:
        with clock() as down:
            subprocess.run([*COMPOSE, "down", "-v"], check=True, capture_output=True)
    total = up["total"] + load["total"] + down["total"]
    return {"start": up["total"], "load": load["total"], "teardown": down["total"], "total": total}


def _psql(server: str, script: str) -> None:
    command = [*COMPOSE, "exec", "-T", server, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-U", "app", server.removesuffix("-db")]
    subprocess.run(command, input=script, text=True, check=True, capture_output=True)


def _scripts() -> dict[str, str]:
    """The rows of checkout-ready, for each server as psql takes them."""
    with seeder.up("shop", scenario="checkout-ready", runtime="docker", project=ROOT) as environment:
        return {name: _script(environment.url(name)) for name in ("customers-db", "catalog-db", "orders-db", "billing-db", "delivery-db")}


def _script(url: str) -> str:
    """Foreign keys are not looked at, so that tables come in any order; rows that migrations made go before."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        emptied = f"truncate {', '.join(tables)};\n"
        return "set session_replication_role = replica;\n" + emptied + "".join(_table(connection, name) for name in tables)


def _table(connection: psycopg.Connection, name: str) -> str:
    columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in connection.execute(COLUMNS, [name]).fetchall())
    words = sql.SQL("copy {} ({})").format(sql.Identifier(name), columns)
    with connection.cursor().copy(words + sql.SQL(" to stdout")) as rows:
        text = b"".join(map(bytes, rows)).decode()
    return f"{words.as_string(connection)} from stdin;\n{text}\\.\n"
