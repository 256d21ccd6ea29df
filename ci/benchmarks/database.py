"""database: how long a test waits for one of its own, by `seeder_database`, by pytest-postgresql and by a bare copy of a template."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import suites
from benchmarks.measure import Case, Goal, Report, alternate

OURS, PLUGIN, COPIES = "`seeder_database`", "pytest-postgresql", "CREATE DATABASE ... TEMPLATE, DROP DATABASE"

# From where a test begins to the first answer of its database, and to where it is over; the first one starts the server: it does not count.
CLOCK = """
import json, os, time
import pytest

WAITED, WHOLE = [], []

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    item.begun = time.perf_counter()
    yield
    WHOLE.append(time.perf_counter() - item.begun)

@pytest.fixture
def ready(request):
    return lambda: WAITED.append(time.perf_counter() - request.node.begun)

def pytest_sessionfinish():
    with open(os.environ["BENCH_TOLD"], "w") as told:
        json.dump({"waited": WAITED[1:], "whole": WHOLE[1:]}, told)
"""
TEST = """
import pytest

@pytest.mark.parametrize("number", range({tests} + 1))
def test_one(connection, ready, number):
    connection.execute("select 1")
    ready()
    for _ in range({statements}):
        connection.execute("update orders set status = status where id = (select min(id) from orders where id > %s)", [number])
"""
BY_SEEDER = """
@pytest.fixture
def connection(seeder_database):
    return seeder_database("{store}").connect(autocommit=True)
"""
BY_PLUGIN = """
@pytest.fixture
def connection(postgresql):
    postgresql.autocommit = True
    return postgresql
"""
BY_COPY = """
import psycopg

@pytest.fixture(scope="session")
def server(postgresql_proc):
    where = dict(host=postgresql_proc.host, port=postgresql_proc.port, user=postgresql_proc.user, autocommit=True)
    with psycopg.connect(dbname="postgres", **where) as admin:
        yield postgresql_proc.template_dbname, where, admin

@pytest.fixture
def connection(server):
    template, where, admin = server
    admin.execute(f"create database one template {{template}}")
    with psycopg.connect(dbname="one", **where) as connection:
        yield connection
    admin.execute("drop database one")
"""
BUSY = 50  # statements of a test that works, not only asks for its database


def database(times: int, tests: int) -> Iterator[Report]:
    """Tests that do nothing with their databases, one after another, and tests that do something."""
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        known = suites.dumped(Path(folder))
        yield from (_report(times, tests, statements, Path(folder), known) for statements in (BUSY, 0))


def _report(times: int, tests: int, statements: int, folder: Path, known: Mapping[str, str]) -> Report:
    what = f"{statements} statements each" if statements else "which only connect"
    report = Report(f"database, {tests} tests, {what}", times, "ms", "p50 until connected")
    own, reference = CLOCK + BY_SEEDER.format(**known), CLOCK + suites.PLUGIN.format(**known)
    conftests = {OURS: own, PLUGIN: reference + BY_PLUGIN, COPIES: reference + BY_COPY.format()}
    cases = []
    for number, (name, conftest) in enumerate(conftests.items()):
        test = TEST.format(tests=tests, statements=statements)
        place = suites.suite(folder / f"{number}-{statements}", conftest=conftest, test_database=test)
        by = (lambda place, **more: suites.pytest(place, suites.SEEDER, **more)) if name == OURS else suites.plugin
        cases.append(Case(name, _waits(place, by)))
    alternate(report, cases)
    report.goals = [Goal("wait of a test", OURS, other, 0.25) for other in (PLUGIN, COPIES)]
    report.notes += [
        suites.NOTES,
        "from the beginning of a test to the first answer of its database; `whole test` with what comes after it",
    ]
    return report


def _waits(place: Path, run: Callable[..., Mapping[str, float]]) -> Callable[[], Mapping[str, float]]:
    def once() -> Mapping[str, float]:
        told = place / "told.json"
        run(place, BENCH_TOLD=str(told))
        found = json.loads(told.read_text(encoding="utf-8"))
        waited = [seconds * 1000 for seconds in sorted(found["waited"])]
        whole = statistics.median(found["whole"]) * 1000
        mean, late, middle = statistics.fmean(waited), waited[len(waited) * 95 // 100], statistics.median(waited)
        return {"whole test, p50": whole, "mean": mean, "p95": late, "p50 until connected": middle}

    return once
