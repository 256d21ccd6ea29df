"""`seeder_database` in suites of its users: each test has a database of its own, whatever others do, and no service runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import change
from tests.scenarios.seeder import leftovers, seeder, until
from tests.scenarios.suites import command, home_of_its_own, run, suite, surroundings, wrong

pytestmark = pytest.mark.usefixtures("cached")

EACH = """
import pytest

NAMES = set()

def bodies(database):
    return [body for (body,) in database.rows("select body from notes order by id")]

@pytest.mark.parametrize("time", range(10))
def test_a_write_is_nobody_elses(seeder_database, time):
    database = seeder_database("db")
    assert seeder_database("db") is database
    name = database.scalar("select current_database()")
    assert name not in NAMES
    NAMES.add(name)
    assert bodies(database) == ["first", "second"]
    database.rows("insert into notes (kind, body, written_at) values ('idea', 'mine', now())")
    database.rows("create table left_behind ()")
    assert bodies(database)[2:] == ["mine"]
"""
KEEPS = """
def test_settings(seeder_database):
    database = seeder_database('db')
    assert database.scalar('show work_mem') == '7MB'
    acl, comment = database.rows('''select datacl::text, shobj_description(oid, 'pg_database') from pg_database
                                    where datname = current_database()''')[0]
    assert 'reader=c' in acl
    assert comment == 'of notes'
"""
SETTINGS = """
create role reader;
alter database notes set work_mem = '7MB';
grant connect on database notes to reader;
comment on database notes is 'of notes';
"""
CLIENTS = """
import asyncio
from sqlalchemy import text

COUNT = text('select count(*) from notes')
HELD = []

@pytest.mark.parametrize('time', range(6))
def test_sync(seeder_database, time):
    database = seeder_database('db')
    connection = database.engine.connect()
    assert connection.execute(COUNT).scalar() == 2
    connection.execute(text('delete from notes'))
    HELD.append(connection)
    assert database.connect().execute('select count(*) from notes').fetchone() == (2,)

@pytest.mark.parametrize('time', range(3))
def test_async(seeder_database, time):
    database = seeder_database('db')
    assert database.url('asyncpg').startswith('postgresql+asyncpg://app:')

    async def count():
        async with database.async_engine.begin() as connection:
            answer = (await connection.execute(COUNT)).scalar()
            await connection.execute(text('delete from notes'))
            return answer

    assert asyncio.run(count()) == 2
"""
# Such a transaction keeps its database from being removed; it goes with the server.
PREPARED = """
@pytest.mark.parametrize('time', range(8))
def test_prepared(seeder_database, time):
    connection = seeder_database('db').connect()
    connection.execute('delete from notes')
    connection.execute(f"prepare transaction 'left{time}'")
"""
OTHERS = """
import re

@pytest.mark.scenario('empty')
def test_empty(seeder_database):
    assert seeder_database('db').scalar('select count(*) from notes') == 0

def test_no_database(seeder_database):
    seeder_database('cache')

def test_no_store(seeder_database):
    seeder_database('dbb')

def test_name(seeder_database):
    assert re.fullmatch(r'notes_test_\\d+', seeder_database('db').scalar('select current_database()'))
"""
BESIDE = """
@pytest.mark.parametrize('time', range(2))
def test_beside(environment, seeder_database, time):
    database = seeder_database('db')
    database.rows('delete from notes')
    assert environment.sql('db').scalar('select count(*) from notes') == 2
    environment.sql('db').rows('delete from notes')

@pytest.mark.scenario('ready', note=2)
def test_of_another(environment, seeder_database):
    assert seeder_database('db').scalar('select count(*) from notes') == 2
"""


@dataclass(frozen=True)
class Done:
    """A session of tests that is over, its project and the home that it had for itself."""

    out: str
    wrong: dict[str, str]
    folder: Path
    home: Path

    def passed(self, name: str) -> int:
        """How often the test passed, by its cases."""
        return len(re.findall(rf"::{name}(?:\[\S+\])? PASSED", self.out))


@pytest.fixture(scope="module")
def session(home: Path, cached: None) -> Done:
    """One session of tests that ask a lot of `seeder_database`, for all workers."""
    at = home.parent / "databases"
    at.mkdir(exist_ok=True)
    with FileLock(at / "lock"):
        if not (at / "out").exists():
            (at / "out").write_text(asked(at))
    out = (at / "out").read_text()
    return Done(out, wrong(out), at / "small", at / "home")


def asked(at: Path) -> str:
    folder = suite(at, EACH + KEEPS + CLIENTS + PREPARED + OTHERS + BESIDE)
    (folder / "migrations/0003_settings.sql").write_text(SETTINGS)
    change(folder, "compose.yaml", "    image: postgres:17\n", "    image: postgres:17\n    command: [-c, max_prepared_transactions=20]\n")
    ready = (folder / "testdata/scenarios/ready.yaml").read_text().partition("expect:")[0]
    empty = ready.replace("scenario: ready", "scenario: empty").replace("[kinds, notes]", "[kinds]")
    (folder / "testdata/scenarios/empty.yaml").write_text(empty)
    with pytest.MonkeyPatch.context() as patch:
        home_of_its_own(at, patch)
        return run(folder, "-vv", "-W", "error").stdout


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of no other test are in it."""
    return home_of_its_own(tmp_path, monkeypatch)


def runs(folder: Path) -> list[Path]:
    return sorted(folder.glob(".seeder/runs/*"))


def nothing_left(home: Path) -> None:
    assert list(home.glob("state/runs/*")) == []


def test_each_test_has_a_fresh_one(session: Done) -> None:
    assert session.passed("test_a_write_is_nobody_elses") == 10, session.out


@product("runtime", RUNTIMES, some=[["docker"]])
@pytest.mark.acceptance  # a whole session of tests with workers
def test_workers_have_one_server(tmp_path: Path, runtime: str, own: Path) -> None:
    folder = suite(tmp_path, EACH)
    done = run(folder, "-n", "2", runtime=runtime)
    assert "10 passed" in done.stdout, done.stdout + done.stderr
    assert len(runs(folder)) == 1
    assert not leftovers(runs(folder)[0].name, own)
    nothing_left(own)


def test_it_has_what_the_server_keeps_of_the_store(session: Done) -> None:
    """Settings, privileges and the comment: a template gives none of them."""
    assert session.passed("test_settings") == 1, session.out


def test_clients_of_all_kinds_reach_it_and_may_stay_connected(session: Done) -> None:
    assert (session.passed("test_sync"), session.passed("test_async")) == (6, 3), session.out


def test_the_mark_says_in_which_state(session: Done) -> None:
    assert session.passed("test_empty") == 1, session.out


def test_an_environment_and_a_database_live_side_by_side(session: Done) -> None:
    assert (session.passed("test_beside"), session.passed("test_of_another")) == (2, 1), session.out


def test_what_a_test_leaves_prepared_is_no_matter(session: Done) -> None:
    assert session.passed("test_prepared") == 8, session.out


def test_its_names_tell_whose_they_are(session: Done) -> None:
    assert session.passed("test_name") == 1, session.out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("test_no_database", "cache: redis cannot copy a store for each test, as databases can"),
        ("test_no_store", "dbb: stack small has no such store\n    -> did you mean 'db'?"),
    ],
)
def test_what_is_no_database_is_told(session: Done, name: str, told: str) -> None:
    assert told in session.wrong[name].replace("\nE   ", "\n")
    assert "seeder/database.py" not in session.out


def test_each_state_has_one_server_for_all_tests_and_nothing_of_them_is_left(session: Done) -> None:
    """Servers of three states, and two environments beside them."""
    made = runs(session.folder)
    assert len(made) == 5
    assert not [left for one in made for left in leftovers(one.name, session.home)]
    nothing_left(session.home)


FAILS = """
def test_no(seeder_database):
    seeder_database('db').rows("insert into notes (kind, body, written_at) values ('idea', 'why it failed', now())")
    assert False

def test_yes(seeder_database):
    seeder_database('db')
"""


def test_a_failed_test_gets_a_bundle_of_its_database_that_can_be_brought_back(tmp_path: Path, own: Path) -> None:
    folder = suite(tmp_path, FAILS)
    done = run(folder, "--junitxml", "junit.xml")
    (bundle,) = folder.glob(".seeder/bundles/*")
    assert str(bundle) in wrong(done.stdout)["test_no"]
    junit = (folder / "junit.xml").read_text()
    assert junit.count(f'name="seeder_run" value="{bundle.name}"') == 2
    assert junit.count(f'name="seeder_bundle" value="{bundle}"') == 1
    index = json.loads((bundle / "bundle.json").read_text())
    assert index["cause"] == "test_suite.py::test_no failed"
    assert (set(index["stores"]), index["missing"], index["ended"]) == ({"db"}, {}, [])
    assert (bundle / "logs/db.log").exists()
    try:
        assert seeder("snapshot", "restore", str(bundle), cwd=folder).code == 0
        assert list(json.loads(seeder("env", "--json", cwd=folder).out)["stores"]) == ["db"]
        assert seeder("reset", cwd=folder).code == 0
        assert "why it failed" in seeder("sql", "db", "-c", "select body from notes", cwd=folder).out
    finally:
        seeder("down", cwd=folder)
    nothing_left(own)


def test_a_state_that_comes_about_through_services_is_had_as_well(tmp_path: Path, own: Path) -> None:
    text = "def test_it(seeder_database):\n    assert seeder_database('db').scalar('select count(*) from notes') == 2\n"
    folder = suite(tmp_path, text + FAILS)
    words = '[sh, -c, "test -n $SEEDER_WEB_URL"], inputs: [manifest.yaml]'
    change(folder, "manifest.yaml", "path: testdata/reference/kinds}", f"path: testdata/reference/kinds, seed: {{command: {words}}}}}")
    done = run(folder)
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    (bundle,) = folder.glob(".seeder/bundles/*")
    index = json.loads((bundle / "bundle.json").read_text())
    assert (set(index["stores"]), index["missing"], index["ended"]) == ({"db", "cache"}, {}, [])
    nothing_left(own)


def test_a_server_that_cannot_be_had_is_tried_once_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"  # where nothing is prepared: a try takes its time, and the other worker comes meanwhile
    monkeypatch.setenv("SEEDER_HOME", str(home))
    folder = suite(tmp_path, EACH)
    (folder / "migrations/0003_broken.sql").write_text("create tabel broken ();\n")
    done = run(folder, "-n", "2")
    assert "10 failed" in done.stdout, done.stdout
    assert done.stdout.count("0003_broken") >= 10
    assert "Traceback" not in done.stdout
    assert len(runs(folder)) == 1
    nothing_left(home)


def test_what_is_killed_leaves_nothing(tmp_path: Path, own: Path) -> None:
    text = (
        "import pathlib, time\n\ndef test_it(seeder_database):\n    seeder_database('db')\n"
        "    pathlib.Path('here').touch()\n    time.sleep(60)\n"
    )
    folder = suite(tmp_path, text)
    child = subprocess.Popen(command(), cwd=folder, env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("the test has its database", (folder / "here").exists)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    until("the server is gone", lambda: not list(own.glob("state/runs/*")))
    (one,) = runs(folder)
    assert not leftovers(one.name, own)
