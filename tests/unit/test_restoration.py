"""A bundle is brought back by a plan: what was asked for, the schema of what was saved, each store; or it is refused by name."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.checksums import lock
from seeder.definition.manifest import read_project
from seeder.errors import DefinitionError
from seeder.evidence import bundle
from seeder.passed.operation import Plan
from seeder.plan import make
from seeder.planning import restoration
from seeder.registry import MIGRATORS, traits
from seeder.runtimes.local import Local

NOW = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
COMPOSE = """\
    services:
      orders-db:
        image: postgres:17
        environment: {POSTGRES_PASSWORD: app}
        x-seeder: {migrate: {sql: migrations}}
      cache:
        image: redis:8
      orders:
        image: python:3.13-slim
        ports: ["8000"]
        profiles: [more]
        x-seeder: {local: {command: [serve, "{port}"]}}
    """
FILES = {
    "compose.yaml": COMPOSE,
    "migrations/0003_orders.sql": "create table orders (id int, region text);\n",
    "migrations/0004_more.sql": "create table more (id int);\n",
}
STORES = {
    "orders-db": {"engine": "postgres", "head": "0003_orders", "digest": "ab" * 32},
    "cache": {"engine": "redis", "head": None, "digest": None},
}
INDEX = {
    "id": "k3x9", "cause": "asked for", "project": "shop", "stack": "shop", "scenario": "ready", "policy": "ci", "seed": 7,
    "as_of": "2026-01-02T03:00:00Z", "inputs": {"region": "US"}, "missing": {},
    "request": {"services": None, "profiles": ["more"], "images": {"cache": "redis:7"}, "isolate_binds": False}, "stores": STORES,
}  # fmt: skip
Planned = Callable[..., Plan]


@pytest.fixture
def planned(shop: Callable[..., Path], tmp_path: Path) -> Planned:
    folder = shop(FILES)
    manifest = read_project(folder / "manifest.yaml")
    lock(manifest.datasets["checkout"][0])

    def plan(given: dict[str, str] | None = None, **changes: Any) -> Plan:
        (tmp_path / "k3x9").mkdir()
        found = bundle.seal(tmp_path / "k3x9", {**INDEX, **changes})
        definition = restoration.definition(manifest, found, "local", given or {}, traits())
        return restoration.of(make(definition, Local(), "asked for", NOW), found)

    return plan


def _lines(plan: Plan) -> list[str]:
    return [" ".join(line.split()) for line in plan.text().splitlines()]


def test_stores_get_what_was_saved_in_place_of_migrations_beyond_it_and_of_data(planned: Planned) -> None:
    plan = planned()
    lines = _lines(plan)
    assert "migrate orders-db 0003_orders: 1 revision by sql (makes the schema of what was saved)" in lines
    assert "restore orders-db bundle k3x9, digest abababababab (saved there)" in lines
    assert "restore cache bundle k3x9 (saved there)" in lines
    assert [operation.verb for operation in plan.operations] == ["start", "start", "migrate", "restore", "restore", "start", "gate"]


def test_what_was_asked_for_is_asked_again(planned: Planned) -> None:
    plan = planned()
    definition, request = plan.definition, plan.definition.request
    assert (request.profiles, request.images, request.cache) == (("more",), {"cache": "redis:7"}, False)
    assert definition.as_of == datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
    assert plan.header().endswith("policy ci, seed 7, as of 2026-01-02T03:00:00Z")
    assert definition.scenario
    assert definition.scenario.outputs == {"region": "US"}


@pytest.mark.parametrize(
    ("head", "why"), [("0009_else", "this checkout does not migrate to 0009_else"), (None, "migrations did not lead to it")]
)
def test_a_schema_that_this_checkout_does_not_make_is_the_saved_one(planned: Planned, head: str | None, why: str) -> None:
    plan = planned(stores={**STORES, "orders-db": {"engine": "postgres", "head": head, "digest": None}})
    assert f"restore orders-db bundle k3x9 (saved there with its schema: {why})" in _lines(plan)
    assert plan.migrations == ()


def test_a_migrator_that_cannot_halt_is_not_asked_to_stop_half_way(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MIGRATORS.get("sql"), "halts", False, raising=False)
    assert planned().migrations == ()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another project": ({"project": "other"}, "was taken of project other, and this one is shop"),
    "a secret": ({"inputs": {"region": "***"}}, "input region: is a secret, which a bundle does not hold"),
    "a store too many": (
        {"stores": {**STORES, "more": STORES["cache"]}},
        "more: the bundle holds this store, and stack shop has none of that name",
    ),
    "a store too few": ({"stores": {"cache": STORES["cache"]}}, "orders-db: stack shop has this store, and the bundle does not hold it"),
    "another engine": ({"stores": {**STORES, "cache": {"engine": "nats"}}}, "cache: it is redis in stack shop, and was nats"),
    "a store that was not saved": (
        {"stores": {"cache": STORES["cache"]}, "missing": {"stores/orders-db": "it did not answer"}},
        "orders-db: its state could not be saved: it did not answer",
    ),
    "nothing saved": (
        {"stores": {}, "missing": {"environment": "it was never opened"}},
        "holds no state of any store: it was never opened",
    ),
    "an old bundle": ({"stores": None}, "does not say which stores it holds"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_brought_back_is_refused_with_its_reason(planned: Planned, what: str) -> None:
    changes, said = REFUSED[what]
    with pytest.raises(DefinitionError) as refused:
        planned(**changes)
    assert said in str(refused.value)


def test_what_steps_made_comes_back_with_the_stores(planned: Planned) -> None:
    assert planned(results={"customer": {"id": 7}}).results == {"customer": {"id": 7}}


def test_a_secret_input_can_be_given_anew(planned: Planned) -> None:
    plan = planned({"region": "EU"}, inputs={"region": "***"})
    assert plan.definition.request.inputs == {"region": "EU"}
