"""The path of a file says where its rows go."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.dataset import Dataset, data_files
from seeder.definition.dataset_parts import fits, left_out, parts
from seeder.definition.service import Service
from seeder.definition.stack import Stack, Store
from seeder.errors import DefinitionError, Mark
from seeder.planning.soundness import accepted

MARK = Mark(Path("manifest.yaml"), 3)


@pytest.fixture
def stack() -> Stack:
    services = {name: Service(name, MARK) for name in ("orders-db", "pg", "cache", "events", "outside", "orders")}
    stores = {
        "orders-db": Store("orders-db", "orders-db", "postgres"),
        "pg/orders": Store("pg/orders", "pg", "postgres", "orders"),
        "pg/audit": Store("pg/audit", "pg", "postgres", "audit"),
        "cache": Store("cache", "cache", "redis"),
        "events": Store("events", "events", "nats"),
        "outside": Store("outside", "outside", "stub"),
    }
    return Stack("shop", "2.3.0", Path(), (), services, stores, absent={"billing": "profile mail", "billing-db": "--services"})


@pytest.fixture
def dataset(write):
    def make(*names: str) -> Dataset:
        folder = write({f"data/{name}": "x" for name in names}) / "data"
        return Dataset("checkout", "3.2.0", "golden", folder, data_files(folder), MARK)

    return make


PLACES = {
    "orders-db/orders.csv": ("table", "orders-db", "orders"),
    "orders-db/sales.orders.jsonl": ("table", "orders-db", "sales.orders"),
    "orders-db/orders.yaml": ("table", "orders-db", "orders"),
    "orders-db/environment.yaml": ("table", "orders-db", "environment"),
    "orders-db/orders.parquet": ("table", "orders-db", "orders"),
    "orders-db/010-backfill.sql": ("sql", "orders-db", "010-backfill"),
    "pg/audit/log.csv": ("table", "pg/audit", "log"),
    "cache/keys.jsonl": ("keys", "cache", "keys"),
    "events/orders.jsonl": ("messages", "events", "orders"),
    "outside/mappings/payments/charge.json": ("mappings", "outside", "mappings/payments/charge.json"),
    "outside/__files/charge.txt": ("mappings", "outside", "__files/charge.txt"),
    "orders/replay.http": ("http", "orders", "replay"),
    "orders/environment.yaml": ("environment", "orders", "environment"),
    "orders/files/etc/app/flags.toml": ("files", "orders", "/etc/app/flags.toml"),
}


@pytest.mark.parametrize("path", PLACES)
def test_a_path_says_what_a_file_is_and_for_whom(dataset, stack, path):
    [part] = parts(dataset(path), stack, accepted(stack))
    assert (part.kind, part.owner, part.name) == PLACES[path]
    assert part.format == path.rpartition(".")[2]
    assert part.path.read_text() == "x"


MISPLACED = {
    "ordes-db/orders.csv": ("neither a store nor a service ordes-db", "did you mean 'orders-db'?"),
    "orders.csv": ("stands beside them", "orders-db"),
    "orders-db/deep/orders.csv": ("stand directly in its folder", "orders-db/orders.csv"),
    "orders-db/orders.xlsx": ("takes no such file", "TABLE.csv"),
    "orders-db/replay.http": ("takes no such file", "TABLE.csv"),
    "orders-db/a.b.c.csv": ("not the name of a table", "SCHEMA.TABLE"),
    "cache/orders.csv": ("takes no such file", "keys.jsonl"),
    "events/orders.csv": ("takes no such file", "STREAM.jsonl"),
    "outside/charge.json": ("takes no such file", "mappings/NAME.json"),
    "outside/mappings/charge.yaml": ("stand directly in its folder", "outside/charge.yaml"),
    "orders/orders.csv": ("takes no such file", "replay.http"),
    "pg/orders.csv": ("several stores", "pg/audit, pg/orders"),
}


@pytest.mark.parametrize("path", MISPLACED)
def test_a_misplaced_file_is_told(dataset, stack, path):
    given = dataset(path)
    with pytest.raises(DefinitionError) as found:
        parts(given, stack, accepted(stack))
    [problem] = found.value.problems
    cause, remedy = MISPLACED[path]
    assert cause in problem.cause
    assert remedy in problem.remedy
    assert problem.mark == Mark(given.path / path, 1)


def test_all_misplaced_files_come_at_once(dataset, stack):
    with pytest.raises(DefinitionError) as found:
        parts(dataset(*MISPLACED), stack, accepted(stack))
    assert len(found.value.problems) == len(MISPLACED)


def test_a_table_is_given_once(dataset, stack):
    with pytest.raises(DefinitionError, match=r"given twice, here and in orders\.csv"):
        parts(dataset("orders-db/orders.csv", "orders-db/orders.yaml", "pg/orders/orders.csv"), stack, accepted(stack))


def test_files_of_absent_services_are_left_out_and_can_be_named(dataset, stack):
    given = dataset("orders-db/orders.csv", "billing/replay.http", "billing-db/bills.csv")
    assert [part.owner for part in parts(given, stack, accepted(stack))] == ["orders-db"]
    assert left_out(given, stack) == ("billing", "billing-db")


def test_a_dataset_fits_a_stack_that_has_all_its_folders(dataset, stack):
    assert fits(dataset("orders-db/a.csv", "pg/orders/b.csv", "billing/replay.http"), stack)
    assert not fits(dataset("shipping-db/a.csv"), stack)


def test_what_is_no_data_is_ignored_and_the_order_is_that_of_the_names(dataset):
    given = dataset(
        "b/2.csv", "b/10.csv", "a/x.sql", ".git/x", "a/.x.csv", "README.md", "a/README", "SHA256SUMS", "gates/x.py", "a/x.csv.dvc"
    )
    assert [str(path) for path in given.files] == ["a/x.sql", "b/10.csv", "b/2.csv"]


def test_another_engine_says_itself_what_it_takes(dataset, stack):
    [part] = parts(dataset("events/orders.jsonl"), stack, {"nats": frozenset({"table"})})
    assert part.kind == "table"
