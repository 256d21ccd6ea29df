"""suite: pytest tests that each begin at a seeded state, beside a suite that runs Alembic before each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import ROOT, Case, Goal, Report, alternate, clock

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


def suite(times: int, tests: int, alembic_tests: int) -> Report:
    """Seconds of the whole pytest process; of the Alembic suite, which is far slower, fewer tests are run and the time is scaled."""
    report = Report(f"suite, {tests} tests", times)
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        at = Path(folder)
        ours, theirs = at / "ours", at / "theirs"
        for place, text in ((ours, SEEDER.format(tests=tests)), (theirs, ALEMBIC.format(tests=alembic_tests, shop=ROOT / "stacks/shop"))):
            place.mkdir()
            (place / "test_suite.py").write_text(text, encoding="utf-8")
        asked = [
            "--seeder-project",
            str(ROOT),
            "--seeder-stack",
            "shop",
            "--seeder-scenario",
            "checkout-ready",
            "--seeder-runtime",
            "local",
        ]
        seeder = Case("seeder: five databases, cache, stream, services; reset before each", lambda: _pytest(ours, asked))
        alembic = Case("Alembic before each test: one empty database", lambda: _scaled(_inside(theirs), tests / alembic_tests))
        alternate(report, [seeder, alembic])
    report.goals = [Goal("whole suite", seeder.name, alembic.name, 1.0)]
    report.notes.append(f"the suite with Alembic ran {alembic_tests} tests, its time is scaled to {tests}")
    return report


def _pytest(folder: Path, words: list[str], **more: str) -> Mapping[str, float]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        *words,
        str(folder),
    ]
    with clock() as found:
        done = subprocess.run(command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return found


def _inside(folder: Path) -> Mapping[str, float]:
    """Against a server that is up already: orders-db of a stack that seeder keeps, which is more than such a suite has."""
    import seeder

    with seeder.up("shop", runtime="local", project=ROOT) as environment:
        return _pytest(folder, [], BENCH_URL=environment.url("orders-db"))


def _scaled(found: Mapping[str, float], by: float) -> Mapping[str, float]:
    return {name: seconds * by for name, seconds in found.items()}
