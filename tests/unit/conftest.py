"""Small projects written by a test itself."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """\
    seeder: "1"
    project: shop
    defaults:
      stack: shop
      policy: ci
      as_of: 2026-01-15T12:00:00Z
    stacks:
      shop:
        compose: compose.yaml
        version: "2.3.0"
    datasets:
      - name: checkout
        kind: golden
        version: "3.2.0"
        path: testdata/golden/checkout
        requires:
          stack: ">=2.3,<3"
          orders-db: "0003.."
    policies:
      ci:
        sources: [golden, reference]
        rows: 10_000
        privacy: no-pii
        max_age: 7d
    """
SCENARIO = """\
    scenario: ready
    version: "1.0.0"
    stack: shop
    inputs:
      region: {type: string, enum: [EU, US], default: EU}
      quantity:
        type: integer
        minimum: 1
        default: 2
    data: [checkout@3.2]
    expect:
      - store: orders-db
        query: select count(*) from orders where region = :region
        equals: 1
      - {http: orders, path: "/orders/${inputs.quantity}"}
    outputs:
      region: ${inputs.region}
    """
COMPOSE = """\
    services:
      orders-db:
        image: postgres:17
        environment: {POSTGRES_PASSWORD: app}
      cache:
        image: redis:8
      events:
        image: nats:2
      orders:
        image: python:3.13-slim
        ports: ["8000"]
    """
PROJECT = {
    "manifest.yaml": MANIFEST,
    "compose.yaml": COMPOSE,
    "testdata/scenarios/ready.yaml": SCENARIO,
    "testdata/golden/checkout/orders-db/orders.csv": "id,region\n1,EU\n",
}
PASSWORD = "environment: {POSTGRES_PASSWORD: app}\n"
MIGRATED = {  # in place of those above: the database has a history
    "compose.yaml": COMPOSE.replace(PASSWORD, f"{PASSWORD}        x-seeder: {{migrate: {{sql: migrations}}}}\n"),
    "migrations/0003_orders.sql": "create table orders (id int, region text);\n",
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Writes files below the test's folder and answers the folder."""

    def files(given: dict[str, str | bytes]) -> Path:
        for name, content in given.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        return tmp_path

    return files


@pytest.fixture
def shop(write: Callable[[dict[str, str | bytes]], Path]) -> Callable[..., Path]:
    """Writes a sound project of one stack, one dataset and one scenario. `changes` replaces files, or a text in a file by another:
    `{"manifest.yaml": ("old", "new")}`."""

    def make(changes: dict[str, str | bytes | tuple[str, str]] | None = None) -> Path:
        files: dict[str, str | bytes] = dict(PROJECT)
        for name, change in (changes or {}).items():
            if isinstance(change, tuple):
                before = textwrap.dedent(PROJECT[name])
                assert change[0] in before, f"{change[0]!r} is not in {name}"
                files[name] = before.replace(change[0], change[1], 1)
            else:
                files[name] = change
        return write(files)

    return make
