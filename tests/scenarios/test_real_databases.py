"""Two databases that nobody here wrote: their schemas are migrated, their rows loaded twice, and all of it is as it should be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from seeder.definition.checksums import verify
from seeder.definition.dataset import Dataset
from seeder.definition.dataset_parts import parts
from seeder.definition.request import Definition, Request, find_project, resolve
from seeder.errors import Problem
from seeder.passed.content import Records, Table
from seeder.passed.fitness import Fitness, LoadedTable
from seeder.planning.soundness import accepted
from seeder.protocols import Digests, Loads
from seeder.registry import GATES, LOADERS, MIGRATORS, traits
from tests.conftest import DATA
from tests.fakes.world import LiveWorld, opened
from tests.scenarios.cases import product

ROWS = {"chinook": 15_607, "northwind": 3_362}
IDENTITIES = {
    "chinook": {"album", "artist", "customer", "employee", "genre", "invoice", "invoice_line", "media_type", "playlist", "track"},
    "northwind": set[str](),
}


@pytest.fixture(scope="module", params=sorted(ROWS))
def definition(request: pytest.FixtureRequest) -> Definition:
    return resolve(find_project(DATA / request.param), Request(), traits(), {})


@pytest.fixture(scope="module")
def world(definition: Definition) -> Iterator[LiveWorld]:
    """The stack with its database migrated and its dataset loaded."""
    with opened(definition.stack, "db") as live:
        migrate(live)
        assert load(live, definition.datasets[0]) == ROWS[definition.stack.name]
        yield live


def migrate(world: LiveWorld) -> None:
    store = world.stack.stores["db"]
    migrator = MIGRATORS.get("sql")
    migrator.migrate(store, migrator.revisions(store, world.stack), world)


def read(world: LiveWorld, dataset: Dataset) -> list[Records]:
    return [LOADERS.get(part.kind).read(part, world.run.as_of) for part in parts(dataset, world.stack, accepted(world.stack))]


def load(world: LiveWorld, dataset: Dataset) -> int:
    engine = world.engine("db")
    assert isinstance(engine, Loads)
    session = engine.begin(world.target("db"), upsert=dataset.upserts, natural_keys={})
    counts = session.load(read(world, dataset))
    session.verify()
    session.commit()
    return sum(counts.values())


def digest(world: LiveWorld) -> tuple[str, int]:
    engine = world.engine("db")
    assert isinstance(engine, Digests)
    found = engine.digest(world.target("db"), ())
    files = {path.stem for path in DATA.joinpath(world.stack.name).glob("testdata/reference/*/db/*.csv")}
    return found.digest, sum(count for name, (count, _) in found.parts.items() if name in files)


def findings(world: LiveWorld, definition: Definition) -> list[Problem]:
    """What every gate says of the loaded world."""
    dataset = definition.datasets[0]
    tables = [
        LoadedTable(dataset.label, "db", r.name, r.columns, sum(1 for _ in r.rows()), r.part.path)
        for r in read(world, dataset)
        if isinstance(r, Table)
    ]
    stack, store = definition.stack, definition.stack.stores["db"]
    revisions = {"db": MIGRATORS.get("sql").revisions(store, stack)}
    fitness = Fitness(revisions, tuple(tables), gates=(("stack", stack.x.gates),), references=stack.references)
    return [problem for gate in ("ready", "drift", "counts", "nulls", "references") for problem in GATES.get(gate).check(fitness, world)]


def identities(connection: psycopg.Connection) -> dict[str, str]:
    query = "select table_name, column_name from information_schema.columns where is_identity = 'YES' or column_default like 'nextval(%'"
    return dict(connection.execute(query).fetchall())


def insert_a_copy(connection: psycopg.Connection, table: str, key: str) -> tuple[int, int]:
    """The highest key of the table, and the key that a copy of its last row gets."""
    query = "select column_name from information_schema.columns where table_name = %s and column_name <> %s"
    others = sql.SQL(", ").join(sql.Identifier(name) for (name,) in connection.execute(query, [table, key]).fetchall())
    names = {"table": sql.Identifier(table), "key": sql.Identifier(key), "others": others}
    highest = connection.execute(sql.SQL("select max({key}) from {table}").format(**names)).fetchone()
    copy = "insert into {table} ({others}) select {others} from {table} order by {key} desc limit 1 returning {key}"
    fresh = connection.execute(sql.SQL(copy).format(**names)).fetchone()
    assert highest
    assert fresh
    return highest[0], fresh[0]


def test_loading_twice_changes_nothing(world: LiveWorld, definition: Definition) -> None:
    before = digest(world)
    assert before[1] == ROWS[definition.stack.name]
    load(world, definition.datasets[0])
    assert digest(world) == before


def test_every_gate_is_content(world: LiveWorld, definition: Definition) -> None:
    assert findings(world, definition) == []


def test_the_next_row_gets_a_fresh_key_in_every_table_that_makes_its_own(world: LiveWorld, definition: Definition) -> None:
    with psycopg.connect(world.target("db").url()) as connection:
        found = identities(connection)
        assert set(found) == IDENTITIES[definition.stack.name]
        for table, key in found.items():
            highest, fresh = insert_a_copy(connection, table, key)
            assert fresh == highest + 1, table
        connection.rollback()


def test_the_files_are_the_ones_that_were_converted(definition: Definition) -> None:
    assert verify(definition.datasets[0]) == []


def run(folder: Path, runtime: str) -> dict[str, Any]:
    """How `seeder run` ended, with a command that adds a row of its own."""
    made = "import os, psycopg\nwith psycopg.connect(os.environ['SEEDER_DB_URL']) as c: c.execute('create table mine (id int)')\n"
    command = [sys.executable, "-m", "seeder", "run", "--project", folder, "--runtime", runtime, "--", sys.executable, "-c", made]
    shutil.rmtree(folder / ".seeder", ignore_errors=True)  # records of earlier runs
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    (result,) = folder.rglob("result.json")
    found: dict[str, Any] = json.loads(result.read_text())
    return found


@product("name", sorted(ROWS), some=[["northwind"]])
def test_every_run_begins_with_the_same_data(project: Callable[[str], Path], name: str) -> None:
    folder = project(name)
    first, second = run(folder, "local"), run(folder, "local")
    assert first["digest"] == second["digest"] != ""


@pytest.mark.docker
@product("name", sorted(ROWS), some=[["chinook"]])
@pytest.mark.acceptance  # `ci/acceptance databases`
def test_both_runtimes_hold_the_same_data(project: Callable[[str], Path], name: str) -> None:
    folder = project(name)
    assert run(folder, "docker")["digest"] == run(folder, "local")["digest"]
