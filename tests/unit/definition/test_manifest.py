"""What a sound manifest says."""

from __future__ import annotations

import datetime
from pathlib import PurePosixPath

import pytest

from seeder.definition.manifest import read_project

REPOSITORY_FORM = """\
    seeder: "1"
    project: shop
    stacks:
      shop: {compose: [compose.yaml, more.yaml], version: "2.3.0", profiles: [mail]}
    datasets:
      - {name: checkout, kind: golden, version: "3.2.0", path: testdata/golden/checkout}
      - {name: checkout, kind: golden, version: "3.10.0", path: testdata/golden/checkout,
         privacy: masked, captured_at: 2026-01-01T01:00:00+01:00}
      - name: rates
        kind: reference
        version: "1.0"
        path: testdata/golden/checkout
        requires: {stack: ">=2", orders-db: "0003..0005"}
        natural_keys: {orders-db.rates: [country, kind]}
        seed: {command: [python, rates.py]}
        gates: {counts: {orders-db.orders: 1}}
    policies:
      local: {rows: 10_000, privacy: strict, max_age: 1h30m}
    """


def test_defaults_are_read_and_the_reference_time_is_in_utc(shop):
    defaults = read_project(shop({"manifest.yaml": ("2026-01-15T12:00:00Z", "2026-01-15T12:00:00+02:00")}) / "manifest.yaml").defaults
    assert defaults.as_of == datetime.datetime(2026, 1, 15, 10, tzinfo=datetime.UTC)
    assert (defaults.stack, defaults.policy, defaults.runtime, defaults.seed) == ("shop", "ci", "auto", 42)


@pytest.fixture
def manifest(shop):
    return read_project(shop({"manifest.yaml": REPOSITORY_FORM, "more.yaml": "services: {}"}) / "manifest.yaml")


def test_a_stack_has_its_files_in_order(manifest):
    stack = manifest.stacks["shop"]
    assert [file.name for file in stack.compose] == ["compose.yaml", "more.yaml"]
    assert (stack.version, stack.profiles, stack.mark.line) == ("2.3.0", ("mail",), 4)


def test_versions_of_a_dataset_stand_newest_first(manifest):
    newest, oldest = manifest.datasets["checkout"]
    assert (newest.label, oldest.label) == ("checkout@3.10.0", "checkout@3.2.0")
    assert newest.captured_at == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert (newest.privacy, oldest.privacy) == ("masked", None)


def test_a_dataset_says_what_it_needs_and_how_it_is_loaded(manifest):
    [rates] = manifest.datasets["rates"]
    assert [(r.subject, r.wanted, r.mark.line) for r in rates.requires] == [("stack", ">=2", 13), ("orders-db", "0003..0005", 13)]
    assert rates.natural_keys == {"orders-db.rates": ("country", "kind")}
    assert rates.seed.command == ("python", "rates.py")
    assert rates.gates.counts == {"orders-db.orders": 1}
    assert rates.upserts
    assert rates.files == (PurePosixPath("orders-db/orders.csv"),)


def test_a_policy_holds_numbers(manifest):
    policy = manifest.policies["local"]
    assert (policy.rows, policy.privacy, policy.max_age, policy.sources) == (10_000, "strict", 5400.0, ())
