"""Stores are told from images, or declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.extension import Database, Migrate, ServiceExtension
from seeder.definition.service import Service
from seeder.definition.stores import engine_of, stores_of
from seeder.errors import Mark
from seeder.registry import traits

MARK = Mark(Path("compose.yaml"), 1)


def service(image: str | None = None, **rest) -> Service:
    return Service("db", MARK, image=image, **rest)


@pytest.mark.parametrize(
    ("engine", "image"),
    [
        ("postgres", "postgres"), ("postgres", "postgres:17-alpine"), ("postgres", "library/postgres"),
        ("postgres", "docker.io/library/postgres:17"),
        ("postgres", "registry.example:5000/mirror/postgres:17@sha256:" + "0" * 64), ("postgres", "postgis/postgis:17-3.5"),
        ("postgres", "timescale/timescaledb:2.17-pg17"), ("postgres", "timescale/timescaledb-ha:pg17"),
        ("postgres", "bitnami/postgresql:17"),
        ("postgres", "bitnamilegacy/postgresql"), ("postgres", "pgvector/pgvector:pg17"), ("postgres", "supabase/postgres:15"),
        ("redis", "redis:8"), ("redis", "valkey/valkey:9"), ("redis", "bitnami/redis"), ("redis", "bitnami/valkey"),
        ("redis", "redis/redis-stack-server:7"), ("redis", "redis/redis-stack"),
        ("nats", "nats:2"), ("nats", "nats:2.10-alpine"), ("nats", "bitnami/nats"),
        (None, "prometheuscommunity/postgres-exporter"), (None, "rediscommander/redis-commander"), (None, "natsio/nats-box"),
        (None, "nats-streaming"), (None, "python:3.13-slim"), (None, "app"), (None, "mysql:8"), (None, None),
    ],
)  # fmt: skip
def test_the_image_tells_the_engine(engine, image):
    assert engine_of(service(image), traits()) == engine


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("postgres:17", {"command": ("postgres", "-c", "fsync=off")}),
        ("postgres:17", {"command": ("-c", "fsync=off")}),
        ("postgres:17", {"entrypoint": ("docker-entrypoint.sh",), "command": ("postgres",)}),
        ("redis:8", {"command": ("redis-server", "--save", "")}),
        ("redis:8", {"command": ("/etc/redis.conf",)}),
        ("redis:8", {"command": ("sh", "-c", 'exec redis-server --requirepass "$PASSWORD"')}),
        ("nats:2", {"command": ("-js", "-sd", "/data")}),
        ("nats:2", {"entrypoint": ("/nats-server",), "command": ("-js",)}),
    ],
)
def test_a_server_may_be_given_options(image, words):
    assert engine_of(service(image, **words), traits()) is not None


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("postgres:17", {"command": ("psql", "-h", "db", "-f", "/seed.sql")}),
        ("postgres:17", {"command": ("sh", "-c", "pg_dump -h db | gzip > /dump.gz")}),
        ("postgres:17", {"entrypoint": ("psql",), "command": ("-c", "select 1")}),
        ("redis:8", {"command": ("redis-cli", "-h", "cache", "ping")}),
    ],
)
def test_a_program_from_a_stores_image_is_no_store(image, words):
    assert engine_of(service(image, **words), traits()) is None


def test_a_declared_engine_wins():
    assert engine_of(service("ours/database:1", x=ServiceExtension(store="postgres")), traits()) == "postgres"
    assert engine_of(service(None, x=ServiceExtension(store="redis")), traits()) == "redis"


def test_a_server_whose_databases_are_not_named_is_one_store():
    (store,) = stores_of([service("postgres:17", environment={"POSTGRES_DB": "shop"})], traits()).values()
    assert (store.name, store.service, store.database) == ("db", "db", None)


def test_a_server_of_several_databases_holds_several_stores():
    migrate = Migrate(sql="migrations")
    x = ServiceExtension(
        databases={"orders": Database(migrate=migrate, volatile=["orders.created_at"]), "audit": Database(settled="select true")}
    )
    stores = stores_of([service("postgres:17", x=x)], traits())
    assert list(stores) == ["db/orders", "db/audit"]
    assert stores["db/orders"].migrate == migrate
    assert stores["db/orders"].volatile == ("orders.created_at",)
    assert (stores["db/audit"].service, stores["db/audit"].database, stores["db/audit"].settled) == ("db", "audit", "select true")
