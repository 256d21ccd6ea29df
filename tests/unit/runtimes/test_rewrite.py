"""Addresses in text: which are rewritten, which are left alone."""

from __future__ import annotations

import pytest

from seeder.passed.target import Address
from seeder.runtimes._rewrite import Rewriter


def at(port: int) -> Address:
    return Address("127.0.0.1", port)


REWRITER = Rewriter(
    hosts={
        "orders-db": {5432: at(20001)},
        "db": {5432: at(20002)},
        "catalog": {8000: at(20003)},
        "web": {80: at(20004), 9000: at(20005)},
        "nats-1": {4222: at(20006)},
        "nats-2": {4222: at(20007)},
        "orders": {8000: at(20008)},
    },
    own={8000: at(20008), 20008: at(20009)},
    paths={"/etc/app/app.yaml": "/runs/x/app.yaml", "/data": "/runs/x/data", "/data/sub": "/runs/x/sub"},
)


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ("orders-db:5432", "127.0.0.1:20001"),
        ("postgresql+asyncpg://app:s3cret@orders-db:5432/orders?x=1", "postgresql+asyncpg://app:s3cret@127.0.0.1:20001/orders?x=1"),
        ("postgresql://app@orders-db/orders", "postgresql://app@127.0.0.1:20001/orders"),
        ("http://web", "http://127.0.0.1:20004"),
        ("http://web/path", "http://127.0.0.1:20004/path"),
        ("nats://nats-1:4222,nats://nats-2:4222", "nats://127.0.0.1:20006,nats://127.0.0.1:20007"),
        ("nats-1:4222,nats-2:4222", "127.0.0.1:20006,127.0.0.1:20007"),
        ("proxy_pass http://catalog:8000;", "proxy_pass http://127.0.0.1:20003;"),
        ('{"catalog": "catalog:8000"}', '{"catalog": "127.0.0.1:20003"}'),
        ("host=db user=app port=5432", "host=127.0.0.1 user=app port=20002"),
        ("port=5432 host=db", "port=20002 host=127.0.0.1"),
        ("host=db dbname=x", "host=127.0.0.1 port=20002 dbname=x"),
        ("Host=db;Database=x", "Host=127.0.0.1;port=20002;Database=x"),
        ("psql -h db -p 5432 -U app", "psql -h 127.0.0.1 -p 20002 -U app"),
        ("pg_isready -h db -U app", "pg_isready -h 127.0.0.1 -p 20002 -U app"),
        ("http://localhost:8000/healthz", "http://127.0.0.1:20008/healthz"),
        ("0.0.0.0:8000", "127.0.0.1:20008"),
        ("--config=/etc/app/app.yaml", "--config=/runs/x/app.yaml"),
        ("/data/sub/file:/data/file", "/runs/x/sub/file:/runs/x/data/file"),
    ],
)
def test_addresses_and_paths_are_rewritten(written: str, rewritten: str) -> None:
    assert REWRITER.text(written) == rewritten


@pytest.mark.parametrize(
    "text",
    [
        "orders",
        "the orders of catalog",
        "my-orders-db:5432",
        "orders-db.example.com:5432",
        "orders-db:5433",
        "orders-db:54321",
        "registry/orders:8000",
        "/orders:8000",
        "http://catalog/no-port-80",
        "https://web/",
        "http://web.example.com/",
        "http://example.com/web:80",
        "localhost:5432",
        "/etc/app/app.yaml.bak",
        "/srv/data",
        "https://example.com/data",
    ],
)
def test_what_only_looks_like_an_address_is_left_alone(text: str) -> None:
    assert REWRITER.text(text) == text


def test_a_password_that_looks_like_an_address_is_left_alone() -> None:
    assert REWRITER.text("postgresql://orders:8000@db:5432/x") == "postgresql://orders:8000@127.0.0.1:20002/x"


def test_nothing_is_rewritten_twice() -> None:
    """The address that `localhost:8000` becomes is itself one of the service's own ports."""
    assert REWRITER.text("http://localhost:8000") == "http://127.0.0.1:20008"


def test_variables_that_name_a_host_take_their_port_along() -> None:
    given = {"DB_HOST": "db", "DB_PORT": "5432", "PGHOST": "orders-db", "POSTGRES_SERVER": "db", "POSTGRES_PORT": "5432"}
    assert REWRITER.environment(given) == {
        "DB_HOST": "127.0.0.1", "DB_PORT": "20002", "PGHOST": "127.0.0.1", "PGPORT": "20001", "POSTGRES_SERVER": "127.0.0.1",
        "POSTGRES_PORT": "20002",
    }  # fmt: skip


def test_a_variable_that_holds_a_service_s_name_but_no_host_is_left_alone() -> None:
    given = {"POSTGRES_DB": "orders", "POSTGRES_USER": "db", "SERVER_NAME": "catalog", "GHOST": "db", "TITLE": "web", "WEB_HOST": "web"}
    assert REWRITER.environment(given) == given  # web has two ports: which one is meant cannot be known


def test_the_port_on_which_a_service_itself_listens_is_its_own() -> None:
    given = {"PORT": "8000", "HTTP_PORT": "8000", "OTHER_PORT": "5432", "WORKERS": "8000", "HOST": "0.0.0.0"}
    expected = {"PORT": "20008", "HTTP_PORT": "20008", "OTHER_PORT": "5432", "WORKERS": "8000", "HOST": "127.0.0.1"}
    assert REWRITER.environment(given) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wait", "--db-host", "db", "--db-port", "5432"], ["wait", "--db-host", "127.0.0.1", "--db-port", "20002"]),
        (["psql", "-h", "db"], ["psql", "-h", "127.0.0.1", "-p", "20002"]),
        (["psql", "--host=db", "--port=5432"], ["psql", "--host=127.0.0.1", "--port=20002"]),
        (["serve", "--bind", "0.0.0.0:8000"], ["serve", "--bind", "127.0.0.1:20008"]),
        (["serve", "--host", "127.0.0.1"], ["serve", "--host", "127.0.0.1"]),
        (["sh", "-c", "wait-for db:5432 && run"], ["sh", "-c", "wait-for 127.0.0.1:20002 && run"]),
    ],
)
def test_arguments(words: list[str], expected: list[str]) -> None:
    assert list(REWRITER.arguments(words)) == expected


def test_a_document_s_hosts_and_ports_stand_on_lines_of_their_own() -> None:
    written = (
        'db:\n  host: orders-db\n  port: 5432\n{"cache_host": "nats-1",\n "cache_port": 4222}\nDB_HOST=db\nDB_PORT=5432\nname = orders\n'
    )
    assert REWRITER.document(written) == (
        'db:\n  host: 127.0.0.1\n  port: 20001\n{"cache_host": "127.0.0.1",\n "cache_port": 20006}\nDB_HOST=127.0.0.1\nDB_PORT=20002\n'
        "name = orders\n"
    )


def test_without_addresses_and_paths_nothing_changes() -> None:
    assert Rewriter({}).document("host=db port=5432\nhttp://web/") == "host=db port=5432\nhttp://web/"
