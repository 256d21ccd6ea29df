"""A policy refuses data and names both sides."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from seeder.definition.dataset import Dataset, Part, data_files
from seeder.definition.manifest import Policy
from seeder.definition.policy import privacy_of, refusals, too_many
from seeder.definition.records import count
from seeder.errors import Mark

NOW = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
MARK = Mark(Path("manifest.yaml"), 3)
PG_DUMP = "--\n-- PostgreSQL database dump\n--\nCREATE TABLE a (x int);\n"
COPY = "CREATE TABLE a (x int);\nCOPY public.a (x) FROM stdin;\n1\n2\n\\.\n"


@pytest.fixture
def dataset(write):
    def make(files: dict[str, str] | None = None, **said) -> Dataset:
        folder = write({f"data/{name}": content for name, content in (files or {"db/a.csv": "x\n1\n"}).items()}) / "data"
        whole = {"name": "checkout", "version": "3.2.0", "kind": "golden", "path": folder, "files": data_files(folder), "mark": MARK}
        return Dataset(**{**whole, **said})

    return make


def _causes(policy: Policy, dataset: Dataset) -> list[str]:
    found = refusals(policy, dataset, now=NOW)
    assert all(problem.subject == dataset.label and problem.mark == MARK and problem.remedy for problem in found)
    return [problem.cause for problem in found]


def test_a_kind_that_is_no_source_is_refused(dataset):
    policy = Policy("preprod", sources=("reference", "fixture"))
    assert _causes(policy, dataset()) == ["is golden data; policy preprod allows reference, fixture"]
    assert _causes(policy, dataset(kind="fixture")) == []
    assert _causes(Policy("any"), dataset()) == []


@pytest.mark.parametrize(
    ("privacy", "wanted", "refused"),
    [
        ("raw", "raw", False), ("raw", "masked", True), ("raw", "no-pii", True), ("raw", "strict", True),
        ("masked", "raw", False), ("masked", "masked", False), ("masked", "no-pii", True), ("masked", "strict", True),
        ("no-pii", "masked", False), ("no-pii", "no-pii", False), ("no-pii", "strict", False),
        (None, "no-pii", False), (None, "strict", True),
    ],
)  # fmt: skip
def test_privacy_that_is_too_low_is_refused(dataset, privacy, wanted, refused):
    assert bool(_causes(Policy("ci", privacy=wanted), dataset(privacy=privacy))) is refused


@pytest.mark.parametrize("dump", [PG_DUMP, COPY, COPY.lower()])
def test_a_dump_without_a_label_counts_as_raw(dataset, dump):
    given = dataset({"db/010-all.sql": dump})
    [cause] = _causes(Policy("ci", privacy="masked"), given)
    assert cause == "counts as raw, for it holds an SQL dump without a privacy label (010-all.sql); policy ci asks for masked"
    assert _causes(Policy("ci", privacy="masked"), dataset({"db/010-all.sql": dump}, privacy="masked")) == []


def test_sql_written_by_hand_is_no_dump_and_an_unlabelled_fixture_is_raw(dataset):
    assert privacy_of(dataset({"db/010.sql": "-- not a PostgreSQL database dump\nINSERT INTO a VALUES (1);\n"})) == "no-pii"
    assert privacy_of(dataset(kind="fixture")) == "raw"


ROWS = {
    "a.csv": ('id,text\n1,"two\nlines"\n2,x\n\n', 2),
    "empty.csv": ("id\n", 0),
    "a.jsonl": ('{"a": 1}\n\n{"a": 2}', 2),
    "a.yaml": ("# rows\n- {id: 1}\n- id: 2\n  tags:\n    - a\n", 2),
    "a.sql": (COPY + "INSERT INTO a VALUES (3);\n", 3),
    "replay.http": ("GET /\n", 0),
}


@pytest.mark.parametrize("name", ROWS)
def test_records_are_counted(write, name):
    text, rows = ROWS[name]
    assert count(write({name: text}) / name) == rows


def test_too_many_rows_are_refused(dataset):
    given = dataset({"db/a.csv": "x\n1\n2\n3\n", "db/b.csv": "x\n1\n"})
    assert _causes(Policy("ci", rows=3), given) == ["holds 4 rows; policy ci allows 3"]
    assert _causes(Policy("ci", rows=4), given) == []
    only_b = [Part("table", "db", "b", given.path / "db/b.csv", "csv")]
    assert refusals(Policy("ci", rows=3), given, only_b, now=NOW) == refusals(Policy("ci", rows=0), given, [], now=NOW) == []


def test_datasets_that_are_too_many_together_are_refused(dataset):
    given = dataset({"db/a.csv": "x\n1\n2\n3\n"})
    [problem] = too_many(Policy("ci", rows=5), [given, given])
    assert problem.cause == "together hold 6 rows; policy ci allows 5"
    assert too_many(Policy("ci", rows=6), [given, given]) == []
    assert too_many(Policy("ci", rows=2), [given, given]) == []  # each is refused by itself


def test_old_data_is_refused(dataset):
    policy = Policy("staging", max_age=7 * 86400.0)
    old, young = NOW - datetime.timedelta(days=8), NOW - datetime.timedelta(days=6)
    assert _causes(policy, dataset(captured_at=old)) == ["was captured 8d ago; policy staging allows 7d"]
    assert _causes(policy, dataset(captured_at=young)) == []
    assert _causes(policy, dataset()) == []
    assert _causes(policy, dataset(kind="fixture", privacy="masked")) == [
        "does not say when it was captured; policy staging allows data of the last 7d"
    ]
