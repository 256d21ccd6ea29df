"""suite: pytest tests that each begin at a seeded state, beside a suite that runs Alembic before each, and one by pytest-postgresql."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks import suites
from benchmarks.measure import ROOT, Case, Goal, Report, alternate

SEEDER = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_one(environment, number):
    orders = environment.sql("orders-db")
    before = orders.scalar("select count(*) from orders")
    orders.rows("delete from outbox")
    assert before == orders.scalar("select count(*) from orders")
"""

# What projects do without seeder: one database, its schema made by Alembic before each test, no data of any other service.
ALEMBIC = """
import os, subprocess, sys
import psycopg, pytest

URL = os.environ["BENCH_URL"]

@pytest.fixture
def database():
    with psycopg.connect(URL, autocommit=True) as admin:
        admin.execute("drop database if exists bench with (force)")
        admin.execute("create database bench")
    url = URL.rpartition("/")[0] + "/bench"
    told = {{**os.environ, "DATABASE_URL": url}}
    alembic = [sys.executable, "-m", "alembic", "-c", "orders/alembic.ini", "upgrade", "head"]
    subprocess.run(alembic, cwd="{shop}", env=told, check=True, capture_output=True)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection

@pytest.mark.parametrize("number", range({tests}))
def test_one(database, number):
    assert database.execute("select count(*) from orders").fetchone()
"""


# The same test, of the one database that it looks at: what projects do that have pytest-postgresql.
PLUGIN = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_one(postgresql, number):
    before = postgresql.execute("select count(*) from orders").fetchone()
    postgresql.execute("delete from outbox")
    postgresql.commit()
    assert before == postgresql.execute("select count(*) from orders").fetchone()
"""


def suite(times: int, tests: int, alembic_tests: int) -> Report:
    """Seconds of the whole pytest process; of the Alembic suite, which is far slower, fewer tests are run and the time is scaled."""
    report = Report(f"suite, {tests} tests", times)
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        at = Path(folder)
        known = suites.dumped(at)
        ours = suites.suite(at / "ours", test_suite=SEEDER.format(tests=tests))
        theirs = suites.suite(at / "theirs", test_suite=ALEMBIC.format(tests=alembic_tests, shop=ROOT / "stacks/shop"))
        plugin = suites.suite(at / "plugin", conftest=suites.PLUGIN.format(**known), test_suite=PLUGIN.format(tests=tests))
        seeder = Case("seeder: five databases, cache, stream, services; reset before each", lambda: suites.pytest(ours, suites.SEEDER))
        databases = Case("pytest-postgresql: one database with its rows", lambda: suites.plugin(plugin))
        alembic = Case("Alembic before each test: one empty database", lambda: _scaled(_inside(theirs), tests / alembic_tests))
        alternate(report, [seeder, databases, alembic])
    report.goals = [Goal("whole suite", seeder.name, other.name, 1.0) for other in (databases, alembic)]
    report.notes += [suites.NOTES, f"the suite with Alembic ran {alembic_tests} tests, its time is scaled to {tests}"]
    return report


def _inside(folder: Path) -> Mapping[str, float]:
    """Against a server that is up already: orders-db of a stack that seeder keeps, which is more than such a suite has."""
    import seeder

    with seeder.up("shop", runtime="local", project=ROOT) as environment:
        return suites.pytest(folder, ("-p", "no:pytest_postgresql"), BENCH_URL=environment.url("orders-db"))


def _scaled(found: Mapping[str, float], by: float) -> Mapping[str, float]:
    return {name: seconds * by for name, seconds in found.items()}
