"""Forty tests, most of which write: four workers at once, each in an environment of its own, find what one finds alone."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from tests.scenarios.seeder import leftovers
from tests.scenarios.suites import run, suite

TESTS = 40
SUITE = f"""
import pytest, redis

def insert(environment):
    environment.sql("db").rows("insert into notes (kind, body, written_at) select min(kind), 'mine', now() from notes")

def delete(environment):
    environment.sql("db").rows("delete from notes")

def truncate(environment):
    environment.sql("db").rows("truncate notes restart identity cascade")

def create(environment):
    environment.sql("db").rows("create table mine (id int primary key)")

def count(environment):
    environment.sql("db").rows("select nextval(oid::regclass) from pg_class where relkind = 'S'")

def keep(environment):
    keys(environment).set("mine", "1")

def flush(environment):
    keys(environment).flushall()

def nothing(environment):
    assert environment.http("web").get("/health").status_code == 200

DO = [insert, delete, truncate, create, count, keep, flush, nothing]

def keys(environment):
    return redis.Redis.from_url(environment.url("cache"))

@pytest.mark.parametrize("number", range({TESTS}))
def test_each(environment, record_property, number):
    bodies = environment.sql("db").rows("select id, kind, body, written_at::text from notes order by id")
    record_property("found", repr((bodies, sorted(keys(environment).keys()), environment.digests())))
    assert environment.digests() == environment.seeded
    DO[number % len(DO)](environment)
"""


@pytest.mark.parametrize("runtime", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_four_workers_find_what_one_finds(tmp_path: Path, home: Path, runtime: str) -> None:
    four, one = (found(tmp_path / name, home, runtime, *words) for name, words in (("four", ("-n", "4")), ("one", ())))
    assert four == one
    assert len(one) == TESTS
    assert len(set(one.values())) == 1, "every test begins at the same state"


def found(at: Path, home: Path, runtime: str, *words: str) -> dict[str, str]:
    """What each test found when it began; all of them pass, and nothing is left of any of their environments."""
    at.mkdir()
    folder = suite(at, SUITE)
    done = run(folder, "--junitxml", "junit.xml", *words, runtime=runtime)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TESTS} passed" in done.stdout
    runs = [path.name for path in folder.glob(".seeder/runs/*")]
    assert len(runs) == (4 if words else 1)
    assert [what for one in runs for what in leftovers(one, home)] == []
    cases = Xml.parse(folder / "junit.xml").getroot().iter("testcase")
    return {
        case.get("name", ""): str(value.get("value")) for case in cases for value in case.iter("property") if value.get("name") == "found"
    }
