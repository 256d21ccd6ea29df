"""What can be asked of an environment that is there, from another process, on both runtimes."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from seeder import present
from tests.conftest import DATA
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.seeder import SEEDER, Said, leftovers, seeder, until

pytestmark = pytest.mark.usefixtures("cached")

SOURCES = Path(__file__).parents[2]


@contextmanager
def environment(folder: Path, runtime: str, *options: str) -> Iterator[str]:
    """An environment of the small project that is up; its run id."""
    said = seeder("up", "small", "--scenario", "ready", "--runtime", runtime, "--json", *options, cwd=folder)
    assert said.code == 0, said.err
    run = json.loads(said.out)["run"]
    try:
        yield run
    finally:
        seeder("down", run, cwd=folder)


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def inside(request, tmp_path_factory) -> Iterator[tuple[str, Callable[..., Said]]]:
    """The run id of an environment that is up, and the command line from its project's folder; a test leaves it as it was."""
    folder = Path(shutil.copytree(DATA / "small", tmp_path_factory.mktemp("inside") / "small"))
    with environment(folder, request.param) as run:
        yield run, lambda *words, **more: seeder(*words, "--run", run, cwd=folder, **more)


def test_everything_that_can_be_asked_of_an_environment(inside):
    run, ask = inside
    assert ask("sql", "db", "-c", "select id, body from notes order by id").out == "1\tfirst\n2\tsecond\n"
    assert json.loads(ask("sql", "db", "-c", "select id from notes order by id", "--json").out) == [[1], [2]]
    assert "cache: is redis and answers no SQL" in ask("sql", "cache", "-c", "select 1").err
    assert ask("sql", "db", "-c", r"select true, '{1,2}'::int[], E'a\tb\\c', null").out == "t\t{1,2}\ta\\tb\\\\c\t\\N\n"
    assert ask("sql", "db", "-c", "select 1 as one; select 2 as two", "--header").out == "one\n1\ntwo\n2\n"
    assert ask("sql", "db", "-c", "update notes set body = body").err == "2 rows changed\n"
    refused = ask("sql", "db", "-c", "update notes set body = null")
    assert ").," not in refused.err
    assert re.search(r"Failing row contains \(1, .*\), in `update notes set body = null`\n", refused.err)
    refused = ask("sql", "db", "-c", "select bod from notes")
    assert (refused.code, refused.out) == (2, "")
    assert 'error: db: column "bod" does not exist, in `select bod from notes`\n    -> Perhaps you meant' in refused.err
    variables = json.loads(ask("env", "--json").out)["variables"]
    assert f"SEEDER_RUN={run}" in ask("env").out.splitlines()
    assert f"export NOTES_DATABASE={variables['NOTES_DATABASE']}" in ask("env", "--format", "shell").out.splitlines()
    assert "/health" in ask("logs", "web").out
    assert len(ask("logs", "web", "--tail", "1").out.splitlines()) == 1
    assert set(json.loads(ask("logs", "--json").out)) == {"db", "cache", "web"}
    assert "did you mean 'web'" in ask("logs", "wbe").err


@pytest.mark.one_runtime
def test_a_changed_row_changes_the_digest_and_the_gates_refuse_it(inside):
    _, ask = inside
    before, gates = json.loads(ask("digest", "--json").out), json.loads(ask("gate", "--json").out)
    assert {gate["gate"]: gate["state"] for gate in gates["gates"]} == dict.fromkeys(["ready", "drift", "counts", "expect"], "passed")
    ask("sql", "db", "-c", "update notes set body = 'other' where id = 1")
    after = json.loads(ask("digest", "--json").out)
    assert after["digest"] != before["digest"]
    assert after["stores"]["cache"] == before["stores"]["cache"]
    assert ask("digest", "cache").out.split()[1] == before["stores"]["cache"]["digest"]
    refused = ask("gate")
    assert refused.code == 4
    assert 'last seen "other"' in refused.err
    ask("sql", "db", "-c", "update notes set body = 'first' where id = 1")
    assert json.loads(ask("digest", "--json").out) == before


def test_gates_hold_an_environment_against_the_files_as_they_are_now(project):
    folder = project("small")
    with environment(folder, "local") as run:
        notes = folder / "testdata/golden/notes/db/notes.csv"
        notes.write_text(notes.read_text() + "3,task,third,as_of-1h,false\n")
        (folder / "migrations/0003_later.sql").write_text("create table later (id int);\n")
        refused = seeder("gate", "--run", run, cwd=folder)
        assert refused.code == 4
        assert "db.notes: holds 2 rows, notes.csv of notes@1.0.0 wants at least 3" in refused.err
        assert "the schema is not the one that the migrations make" in refused.err
        assert refused.err.count("reaches only the next one: `seeder down`, then `seeder up`") == 2


@contextmanager
def following(folder: Path, run: str) -> Iterator[subprocess.Popen[bytes]]:
    """`seeder logs --follow` of the service, which has shown a request that came after it began."""
    log = folder / "followed.log"
    with log.open("w") as file:
        follower = subprocess.Popen([*SEEDER, "logs", "web", "--tail", "0", "--follow", "--run", run], cwd=folder, stdout=file)
    try:
        variables = json.loads(seeder("env", "--json", "--run", run, cwd=folder).out)["variables"]

        def asked() -> bool:
            urllib.request.urlopen(f"{variables['NOTES_WEB']}/health?followed", timeout=5).close()
            return "?followed" in log.read_text()

        until("the request's line", asked, within=20)
        yield follower
    finally:
        follower.kill()
        follower.wait()


@product("runtime", RUNTIMES, some=[["local"]])
def test_environments_are_listed_found_by_a_prefix_and_ended_and_so_are_their_logs(project, home, runtime):
    folder = project("small")
    with environment(folder, runtime) as first, environment(folder, runtime) as second:
        rows = {row["run"]: row for row in json.loads(seeder("ls", "--json", cwd=folder).out)}
        assert {rows[run]["state"] for run in (first, second)} == {"kept"}
        assert rows[first]["scenario"] == "ready"
        assert "name one of" in seeder("env", cwd=folder).err
        assert seeder("env", "--run", first[:6], cwd=folder).code == 0
        assert seeder("env", cwd=folder, SEEDER_RUN=second).out.startswith(f"SEEDER_RUN={second}\n")
        with following(folder, first) as follower:
            assert json.loads(seeder("down", first, "--json", cwd=folder).out)["left"] == []
            assert follower.wait(timeout=20) == 0
        assert leftovers(first, home) == []
        assert "no such run" in seeder("down", first, cwd=folder).err
        assert second in seeder("ls", cwd=folder).out


def test_an_expired_environment_is_removed_by_gc(project, home):
    folder = project("small")
    with environment(folder, "local", "--ttl", "1ms") as run:
        said = seeder("gc", "--json", cwd=folder)
        assert said.code == 0, said.err
        assert leftovers(run, home) == []
        assert run not in seeder("ls", cwd=folder).out


@pytest.mark.parametrize("ask", [("digest",), ("gate",), ("reset",)], ids=" ".join)
def test_a_server_that_has_died_is_told_whatever_is_asked(died, ask):
    said = died(*ask)
    assert said.code == 3, said.err
    assert "error: cache: its process has ended\n    -> see `seeder logs cache`, then start a new environment" in said.err


@pytest.fixture(scope="module")
def died(tmp_path_factory) -> Iterator[Callable[..., Said]]:
    """The command line from the project's folder of an environment whose cache has died."""
    folder = Path(shutil.copytree(DATA / "small", tmp_path_factory.mktemp("died") / "small"))
    with environment(folder, "local") as run:
        cache = present.targets(present.find(run, datetime.datetime.now(datetime.UTC), folder))["cache"][0]
        with suppress(redis.ConnectionError):
            redis.Redis.from_url(cache.url()).shutdown(nosave=True)
        yield lambda *words: seeder(*words, "--run", run, cwd=folder) if words != ("reset",) else seeder("reset", run, cwd=folder)


def test_an_environment_whose_seeder_runs_is_not_ended_by_others(project):
    folder = project("small")
    script = f"cd {SOURCES}; {sys.executable} -m seeder down --json; echo code $?; {sys.executable} -m seeder env | head -n 1"
    said = seeder("run", "small", "--runtime", "local", "--", "sh", "-c", script, cwd=folder)
    assert "code 3\nSEEDER_RUN=" in said.out, said.err
    assert "its seeder still runs (pid" in said.err


@product("runtime", RUNTIMES, some=[["local"]])
def test_a_failed_environment_can_be_kept_and_its_bundle_read(project, runtime):
    folder = project("small")
    said = seeder("run", "small", "--runtime", runtime, "--keep-failed", "--", "false", cwd=folder)
    (bundle,) = json.loads(seeder("snapshot", "ls", "--json", cwd=folder).out)
    run = bundle["run"]
    try:
        assert said.code == 1
        assert f"seeder down {run}" in said.err
        assert seeder("digest", "--run", run, cwd=folder).code == 0
        assert json.loads(seeder("snapshot", "show", run[:5], "--json", cwd=folder).out)["cause"] == "the command ended with code 1"
        assert "all as they were written" in seeder("snapshot", "verify", cwd=folder).err
    finally:
        assert seeder("down", run, cwd=folder).code == 0
