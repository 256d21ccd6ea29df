"""What a bundle holds comes back: on either runtime, with the same digests; and an environment goes back to its own snapshots."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import DATA
from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import change, evidence, proper, run, web
from tests.scenarios.seeder import events, leftovers, run_id, seeder

pytestmark = pytest.mark.usefixtures("cached")

UP = ("up", "small", "--scenario", "ready", "--runtime")
WRITE = "insert into notes (kind, body, written_at) select min(kind), 'written by a test', now() from notes"
BY_HAND = "create table by_hand as select 1 as id; create view seen as table by_hand"
BODIES = "select count(*) from notes where body = 'written by a test'"


@contextmanager
def there(folder: Path, *words: str) -> Iterator[dict[str, object]]:
    """What `seeder WORDS --json` answers of an environment that stays until the end of the block."""
    said = seeder(*words, "--json", cwd=folder)
    assert said.code == 0, said.err
    result: dict[str, object] = json.loads(said.out)
    try:
        yield result
    finally:
        proper(seeder("down", str(result["run"]), cwd=folder), 0)


def saved(folder: Path, *options: str) -> str:
    said = seeder("snapshot", "save", *options, cwd=folder)
    assert said.code == 0, said.err
    return said.out.strip()


def digest(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(seeder("digest", "--json", cwd=folder).out)
    return found


def count(folder: Path) -> str:
    return seeder("sql", "db", "-c", BODIES, cwd=folder).out


@dataclass(frozen=True)
class Taken:
    """An environment on local to which a test wrote, and two bundles of it: `first`, and `by-hand` with more than migrations made."""

    folder: Path
    run: str
    digest: dict[str, object]  # when `first` was saved

    def copied(self, folder: Path, bundle: str = "first") -> Path:
        """The project with that bundle alone, for whoever changes something or brings it back."""

        def others(where: str, names: list[str]) -> set[str]:
            return set(names) - {bundle} if where.endswith(".seeder/bundles") else set()

        return Path(shutil.copytree(self.folder, folder / "small", ignore=others))


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, cached: None) -> Iterator[Taken]:
    folder = Path(shutil.copytree(DATA / "small", tmp_path_factory.mktemp("taken") / "small"))
    with there(folder, *UP, "local") as result:
        proper(seeder("sql", "db", "-c", WRITE, cwd=folder), 0)
        before = digest(folder)
        saved(folder, "--name", "first", "--cause", "to look at")
        proper(seeder("sql", "db", "-c", BY_HAND, cwd=folder), 0)
        saved(folder, "--name", "by-hand")
        yield Taken(folder, str(result["run"]), before)


@pytest.mark.docker
@pytest.mark.long
def test_a_bundle_comes_back_on_the_other_runtime_and_on_its_own_again(taken, tmp_path, home):
    """PostgreSQL 18 without containers, and 17 in its place in one."""
    folder, bundle = taken.copied(tmp_path), "first"
    for runtime in ("docker", "local"):
        with there(folder, "snapshot", "restore", bundle, "--runtime", runtime) as result:
            assert (result["runtime"], result["differing"], result["digest"]) == (runtime, [], taken.digest["digest"])
            assert digest(folder) == taken.digest
            assert count(folder) == "1\n"
            bundle = saved(folder, "--name", f"of-{runtime}")
        assert leftovers(str(result["run"]), home) == []
    listed = json.loads(seeder("snapshot", "ls", "--json", cwd=folder).out)
    assert [one["bundle"] for one in listed] == ["first", "of-docker", "of-local"]


@product("runtime", RUNTIMES, some=[("local",)])
@pytest.mark.acceptance  # a saved bundle is brought back above
def test_what_a_failed_run_left_is_brought_back_and_can_be_reset_to(project, runtime):
    """With what it made by hand beside the migrations."""
    folder = project("small")
    spoil = f'{sys.executable} -m seeder sql db -c "{WRITE}; {BY_HAND}"; exit 1'
    proper(run(folder, runtime, "sh", "-c", spoil), 1)
    bundle = evidence(folder)
    with there(folder, "snapshot", "restore", bundle.name[:5], "--runtime", runtime) as result:
        assert result["differing"] == []
        for _ in range(2):
            assert count(folder) == "1\n"
            assert seeder("sql", "db", "-c", "table seen", cwd=folder).out == "1\n"
            seeder("sql", "db", "-c", "delete from notes", cwd=folder)
            proper(seeder("reset", cwd=folder), 0)
        proper(seeder("gate", cwd=folder), 0)


def test_a_database_comes_back_at_its_revision_whatever_came_after_it(taken, tmp_path):
    folder = taken.copied(tmp_path)
    (folder / "migrations/0003_more.sql").write_text("create table more (id int primary key);\n")
    plan = seeder("snapshot", "restore", "first", "--runtime", "local", "--dry-run", cwd=folder).out
    assert "migrate  db     0001_notes, 0002_pinned: 2 revisions by sql  (makes the schema of what was saved)" in plan
    assert "load" not in plan
    with there(folder, "snapshot", "restore", "first", "--runtime", "local"):
        assert digest(folder) == taken.digest


def test_a_schema_that_migrations_did_not_make_does_not_come_back_in_a_lower_version(taken, tmp_path, home):
    folder = taken.copied(tmp_path, "by-hand")
    change(folder, "compose.yaml", "postgres:17", "postgres:16")
    said = seeder("snapshot", "restore", "by-hand", "--runtime", "local", cwd=folder)
    proper(
        said, 3, "db: the saved state has another schema (it differs in public.by_hand)", "postgres 18 -> 16", "use postgres 18 or later"
    )
    (failed,) = {path.name for path in folder.glob(".seeder/runs/*")} - {taken.run}
    assert leftovers(failed, home) == []


def test_a_changed_bundle_and_one_of_other_stores_are_refused_before_anything_starts(taken, tmp_path):
    folder = taken.copied(tmp_path)
    change(folder, "compose.yaml", "  cache:\n", "  keys:\n    image: redis:8\n  cache:\n")
    said = seeder("snapshot", "restore", "first", "--runtime", "local", cwd=folder)
    proper(said, 2, "keys: stack small has this store, and the bundle does not hold it", "use the checkout that the bundle was taken from")
    rows = next(path for path in folder.glob(".seeder/bundles/first/stores/db/*.copy") if b"first" in path.read_bytes())
    rows.write_bytes(rows.read_bytes().replace(b"first", b"First"))
    said = seeder("snapshot", "restore", "first", "--runtime", "local", cwd=folder)
    proper(said, 3, f"{rows.name}: was changed after the bundle was written")
    assert run_id(folder) == taken.run


def test_a_name_is_taken_once(taken):
    folder = taken.folder
    assert [Path(saved(folder)).name for _ in range(2)] == [taken.run, f"{taken.run}-2"]
    proper(seeder("snapshot", "save", "--name", "first", cwd=folder), 2, "there is a bundle of this name")
    proper(seeder("snapshot", "save", "--name", "../first", cwd=folder), 2, "is no name of a folder")
    assert "to look at" in seeder("snapshot", "show", "first", cwd=folder).out


WRITING = """
import http.server, os, signal, sys, threading
import psycopg, redis

def write():
    cache = redis.Redis.from_url(os.environ["CACHE_URL"])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as db:
        for number in range(1_000_000):
            db.execute("insert into kinds (code, label) values (%s, '') on conflict do nothing", [f"{number:07}"])
            cache.set("written", number)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

threading.Thread(target=write, daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


def test_no_store_of_a_bundle_is_ahead_of_another_and_what_services_change_as_they_start_is_told(project):
    folder = project("small")
    web(folder, WRITING)
    with there(folder, "up", "small", "--runtime", "local"):
        bundle = Path(saved(folder))
        assert int(seeder("sql", "db", "-c", "select count(*) from kinds", cwd=folder).out) > written(bundle)[0] + 1, "it goes on"
    of_db, of_cache = written(bundle)
    assert of_db - of_cache in (0, 1)
    with there(folder, "snapshot", "restore", str(bundle), "--runtime", "local") as result:
        assert "cache" in result["differing"]
    notices = [event for event in events(folder) if event["event"] == "notice"]
    assert "holds something else than when it was saved" in next(one["message"] for one in notices if one["subject"] == "cache")


def written(bundle: Path) -> tuple[int, int]:
    """The last number that the service wrote into each store, as the bundle has it."""
    rows = next(file for file in bundle.glob("stores/db/*.copy") if "\t\n" in file.read_text()).read_text().splitlines()
    keys = [json.loads(line) for line in (bundle / "stores/cache/keys.jsonl").read_text().splitlines()]
    return max(int(row.split("\t")[0]) for row in rows if row[:7].isdigit()), int(next(k["value"] for k in keys if k["key"] == "written"))


BETWEEN = f"""
import redis, seeder
from seeder.errors import EnvironmentFailed
from pathlib import Path
with seeder.up("small", scenario="ready", runtime={{runtime!r}}) as environment:
    db, cache = environment.sql("db"), redis.Redis.from_url(environment.url("cache"))
    db.rows({WRITE!r})
    cache.set("mine", "1")
    snapshot = environment.snapshot("after the first stage")
    for _ in range(2):
        db.rows("delete from notes")
        db.rows("create table more (id int)")
        cache.flushall()
        environment.restore(snapshot)
        print(db.scalar({BODIES!r}), db.scalar("select to_regclass('more')"), cache.get("mine"), cache.get("note:1"))
        assert environment.http("web").get("/health").status_code == 200
    environment.reset()
    print(db.scalar({BODIES!r}), cache.get("mine"))
    try:
        environment.restore(Path({{other!r}}))
    except EnvironmentFailed as error:
        print("refused:", error)
"""


@product("runtime", RUNTIMES, some=[("local",)])
def test_a_program_goes_back_to_its_snapshots_and_to_no_others(project, taken, runtime):
    folder = project("small")
    program = BETWEEN.format(runtime=runtime, other=str(taken.folder / ".seeder/bundles/first"))
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    *lines, refused, remedy = done.stdout.splitlines()
    assert lines == ["1 None b'1' b'first'"] * 2 + ["0 None"]
    assert "was taken of run " in refused
    assert "`seeder snapshot restore` brings an environment up from it" in remedy
