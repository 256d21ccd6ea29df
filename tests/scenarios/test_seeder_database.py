"""`seeder_database` in suites of its users: each test has a database of its own, whatever others do, and no service runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.failing import change
from tests.scenarios.seeder import leftovers, until
from tests.scenarios.suites import command, run, suite, surroundings

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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of no other test are in it."""
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def runs(folder: Path) -> list[Path]:
    return sorted(folder.glob(".seeder/runs/*"))


def nothing_left(home: Path) -> None:
    assert list(home.glob("state/runs/*")) == []


def test_each_test_has_a_fresh_one(tmp_path: Path, runtime: str, home: Path) -> None:
    folder = suite(tmp_path, EACH)
    done = run(folder, runtime=runtime)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(runs(folder)) == 1
    assert not leftovers(runs(folder)[0].name, home)
    nothing_left(home)


def test_workers_have_one_server(tmp_path: Path, runtime: str, home: Path) -> None:
    folder = suite(tmp_path, EACH)
    done = run(folder, "-n", "2", runtime=runtime)
    assert "10 passed" in done.stdout, done.stdout + done.stderr
    assert len(runs(folder)) == 1
    nothing_left(home)


def test_it_has_what_the_server_keeps_of_the_store(tmp_path: Path) -> None:
    """Settings, privileges and the comment: a template gives none of them."""
    text = (
        "def test_it(seeder_database):\n    database = seeder_database('db')\n"
        "    assert database.scalar('show work_mem') == '7MB'\n"
        "    acl, comment = database.rows('''select datacl::text, shobj_description(oid, 'pg_database') from pg_database\n"
        "                                 where datname = current_database()''')[0]\n"
        "    assert 'reader=c' in acl\n    assert comment == 'of notes'\n"
    )
    folder = suite(tmp_path, text)
    (folder / "migrations/0003_settings.sql").write_text(
        "create role reader;\nalter database notes set work_mem = '7MB';\n"
        "grant connect on database notes to reader;\ncomment on database notes is 'of notes';\n"
    )
    done = run(folder)
    assert done.returncode == 0, done.stdout


def test_clients_of_all_kinds_reach_it_and_may_stay_connected(tmp_path: Path) -> None:
    text = (
        "import asyncio\nimport pytest\nfrom sqlalchemy import text\n\nCOUNT = text('select count(*) from notes')\nHELD = []\n\n"
        "@pytest.mark.parametrize('time', range(6))\n"
        "def test_sync(seeder_database, time):\n    database = seeder_database('db')\n    connection = database.engine.connect()\n"
        "    assert connection.execute(COUNT).scalar() == 2\n    connection.execute(text('delete from notes'))\n"
        "    HELD.append(connection)\n    assert database.connect().execute('select count(*) from notes').fetchone() == (2,)\n\n"
        "@pytest.mark.parametrize('time', range(3))\n"
        "def test_async(seeder_database, time):\n    database = seeder_database('db')\n"
        "    assert database.url('asyncpg').startswith('postgresql+asyncpg://app:')\n\n"
        "    async def count():\n        async with database.async_engine.begin() as connection:\n"
        "            answer = (await connection.execute(COUNT)).scalar()\n"
        "            await connection.execute(text('delete from notes'))\n            return answer\n\n"
        "    assert asyncio.run(count()) == 2\n"
    )
    done = run(suite(tmp_path, text), "-W", "error")
    assert "9 passed" in done.stdout, done.stdout


def test_the_mark_says_in_which_state(tmp_path: Path, home: Path) -> None:
    text = (
        "import pytest\n\ndef test_one(seeder_database):\n    assert seeder_database('db').scalar('select count(*) from notes') == 2\n\n"
        "@pytest.mark.scenario('empty')\n"
        "def test_two(seeder_database):\n    assert seeder_database('db').scalar('select count(*) from notes') == 0\n"
    )
    folder = suite(tmp_path, text)
    ready = (folder / "testdata/scenarios/ready.yaml").read_text().partition("expect:")[0]
    empty = ready.replace("scenario: ready", "scenario: empty").replace("[kinds, notes]", "[kinds]")
    (folder / "testdata/scenarios/empty.yaml").write_text(empty)
    done = run(folder)
    assert "2 passed" in done.stdout, done.stdout
    nothing_left(home)


def test_a_state_that_comes_about_through_services_is_had_as_well(tmp_path: Path, home: Path) -> None:
    folder = suite(tmp_path, "def test_it(seeder_database):\n    assert seeder_database('db').scalar('select count(*) from notes') == 2\n")
    words = '[sh, -c, "test -n $SEEDER_WEB_URL"], inputs: [manifest.yaml]'
    change(folder, "manifest.yaml", "path: testdata/reference/kinds}", f"path: testdata/reference/kinds, seed: {{command: {words}}}}}")
    done = run(folder)
    assert "1 passed" in done.stdout, done.stdout
    nothing_left(home)


def test_an_environment_and_a_database_live_side_by_side(tmp_path: Path, home: Path) -> None:
    text = (
        "import pytest\n\n@pytest.mark.parametrize('time', range(2))\n"
        "def test_it(environment, seeder_database, time):\n    database = seeder_database('db')\n"
        "    database.rows('delete from notes')\n    assert environment.sql('db').scalar('select count(*) from notes') == 2\n"
        "    environment.sql('db').rows('delete from notes')\n\n"
        "@pytest.mark.scenario('ready', note=2)\n"
        "def test_other(environment, seeder_database):\n    assert seeder_database('db').scalar('select count(*) from notes') == 2\n"
    )
    done = run(suite(tmp_path, text))
    assert "3 passed" in done.stdout, done.stdout
    nothing_left(home)


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("cache", "cache: redis cannot copy a store for each test, as databases can"),
        ("dbb", "dbb: stack small has no such store\n    -> did you mean 'db'?"),
    ],
)
def test_what_is_no_database_is_told(tmp_path: Path, store: str, told: str) -> None:
    done = run(suite(tmp_path, f"def test_it(seeder_database):\n    seeder_database({store!r})\n"))
    assert done.returncode == 1
    assert told in done.stdout.replace("\nE   ", "\n")
    assert "seeder/database.py" not in done.stdout


def test_a_server_that_cannot_be_had_is_tried_once_for_all(tmp_path: Path, home: Path) -> None:
    folder = suite(tmp_path, EACH)
    (folder / "migrations/0003_broken.sql").write_text("create tabel broken ();\n")
    done = run(folder, "-n", "2")
    assert "10 failed" in done.stdout, done.stdout
    assert done.stdout.count("0003_broken") >= 10
    assert "Traceback" not in done.stdout
    assert len(runs(folder)) == 1
    nothing_left(home)


def test_what_is_killed_leaves_nothing(tmp_path: Path, home: Path) -> None:
    text = (
        "import pathlib, time\n\ndef test_it(seeder_database):\n    seeder_database('db')\n"
        "    pathlib.Path('here').touch()\n    time.sleep(60)\n"
    )
    folder = suite(tmp_path, text)
    child = subprocess.Popen(command(), cwd=folder, env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("the test has its database", (folder / "here").exists)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    until("the server is gone", lambda: not list(home.glob("state/runs/*")))
    (one,) = runs(folder)
    assert not leftovers(one.name, home)


def test_what_a_test_leaves_prepared_is_no_matter(tmp_path: Path, home: Path) -> None:
    """Such a transaction keeps its database from being removed; it goes with the server."""
    text = (
        "import pytest\n\n@pytest.mark.parametrize('time', range(8))\n"
        "def test_it(seeder_database, time):\n    connection = seeder_database('db').connect()\n"
        "    connection.execute('delete from notes')\n    connection.execute(f\"prepare transaction 'left{time}'\")\n"
    )
    folder = suite(tmp_path, text)
    change(folder, "compose.yaml", "    image: postgres:17\n", "    image: postgres:17\n    command: [-c, max_prepared_transactions=20]\n")
    done = run(folder)
    assert "8 passed" in done.stdout, done.stdout
    nothing_left(home)


def test_its_names_tell_whose_they_are(tmp_path: Path) -> None:
    text = "def test_it(seeder_database):\n    print('NAME', seeder_database('db').scalar('select current_database()'))\n"
    done = run(suite(tmp_path, text), "-s")
    assert re.search(r"NAME notes_test_\d+", done.stdout), done.stdout
