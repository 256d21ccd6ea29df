"""Links are found from the addresses that a service holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.links import find_links
from seeder.definition.service import Healthcheck, Mount, Port, Service
from seeder.errors import Mark
from seeder.registry import traits

MARK = Mark(Path("compose.yaml"), 1)
SERVERS = [
    Service("orders", MARK, image="shop", ports=(Port(8000),), networks={"default": ("orders.internal",)}),
    Service("orders-db", MARK, image="postgres:17", container_name="pg", hostname="pg.local"),
    Service("cache", MARK, image="redis:8"),
    Service("events", MARK, image="nats:2"),
    Service("mail", MARK, image="mailpit"),
    Service("two-ports", MARK, image="x", ports=(Port(1000), Port(2000))),
]


def links(environment: dict[str, str] | None = None, **rest) -> set[tuple[str, int]]:
    client = Service("web", MARK, image="shop", environment=environment or {}, **rest)
    found = find_links({service.name: service for service in [client, *SERVERS]}, traits())
    return {(link.server, link.port) for link in found if link.client == "web"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("http://orders:8000/path?x=cache:6379", {("orders", 8000)}),
        ("http://orders", {("orders", 80)}),
        ("https://orders/x", {("orders", 443)}),
        ("postgresql+asyncpg://orders:cache@orders-db:5432/orders", {("orders-db", 5432)}),
        ("postgres://u:p@orders-db/x", {("orders-db", 5432)}),
        ("jdbc:postgresql://orders-db/x", {("orders-db", 5432)}),
        ("redis://:secret@cache/0", {("cache", 6379)}),
        ("nats://events", {("events", 4222)}),
        ("nats://events:4222,nats://cache:4223", {("events", 4222), ("cache", 4223)}),
        ("nats://events:4222,cache:4223", {("events", 4222), ("cache", 4223)}),
        ("orders:8000", {("orders", 8000)}),
        ("events:4222, cache:6379;orders:80", {("events", 4222), ("cache", 6379), ("orders", 80)}),
        ("u:p@tcp(orders-db:5432)/x", {("orders-db", 5432)}),
        ("PLAINTEXT://orders:9092", {("orders", 9092)}),
        ("http://orders.internal:8000", {("orders", 8000)}),
        ("pg:5432", {("orders-db", 5432)}),
        ("host=pg.local:5432", {("orders-db", 5432)}),
        ("unknown://orders", {("orders", 8000)}),
    ],
)
def test_addresses_in_an_environment(value, found):
    assert links({"X": value}) == found


@pytest.mark.parametrize(
    "value",
    [
        "orders", "orders-db.example:5432", "my-orders:8000", "http://orders-api:8000", "https://api.orders/x", "registry/orders:8000",
        "orders:latest", "orders:99999", "postgres:17", "cache:8", "orders:8000.5", "a/b@orders", "orders_v2:8000", "/orders:8000x",
        "http://localhost:8000", "postgresql://orders-db2/x", "http://two-ports.com",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_address(value):
    assert links({"NAME": value}) == set()


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"DB_HOST": "orders-db", "DB_PORT": "6543"}, {("orders-db", 6543)}),
        ({"DB_HOST": "orders-db"}, {("orders-db", 5432)}),
        ({"PGHOST": "pg", "PGPORT": "5433"}, {("orders-db", 5433)}),
        ({"POSTGRES_SERVER": "orders-db", "OTHER_PORT": "1"}, {("orders-db", 5432)}),
        ({"REDIS_HOST": "cache", "DB_PORT": "5432"}, {("cache", 6379)}),
        ({"SMTP_HOST": "mail"}, {("mail", 1025)}),
        ({"ORDERS_ADDRESS": "orders"}, {("orders", 8000)}),
        ({"ES_NODES": "orders,cache"}, {("orders", 8000), ("cache", 6379)}),
        ({"SOME_HOST": "two-ports"}, set()),
        ({"SOME_HOST": "two-ports", "SOME_PORT": "2000"}, {("two-ports", 2000)}),
        ({"POSTGRES_USER": "orders"}, set()),
    ],
)
def test_host_and_port_in_variables_of_their_own(environment, found):
    assert links(environment) == found


@pytest.mark.parametrize(
    "command",
    [("run", "--db", "orders-db:5432"), ("wait-for-it", "orders-db:5432"), ("sh", "-c", "until nc -z orders-db:5432; do :; done")],
)
def test_addresses_in_commands(command):
    assert links(command=command) == {("orders-db", 5432)}
    assert links(entrypoint=command) == {("orders-db", 5432)}


@pytest.mark.parametrize("command", [("run", "--db-host=orders-db"), ("psql", "-h", "orders-db", "-p", "5432")])
def test_hosts_in_options(command):
    assert links(command=command) == {("orders-db", 5432)}


def test_a_healthcheck_makes_no_link():
    assert links(healthcheck=Healthcheck(("CMD", "curl", "http://orders:8000"))) == set()


def test_configuration_files_are_looked_into(tmp_path):
    file = tmp_path / "nginx.conf"
    file.write_text("upstream a { server orders:8000; }\nlocation / { proxy_pass http://cache:81; }\n")
    mounted = (Mount("bind", "/etc/nginx/nginx.conf", str(file), read_only=True), Mount("config", "/x", content="targets: ['events:8222']"))
    assert links(mounts=mounted) == {("orders", 8000), ("cache", 81), ("events", 8222)}


def test_folders_programs_and_secrets_are_not_looked_into(tmp_path):
    for name in ("program.py", "secret.conf"):
        (tmp_path / name).write_text("orders:8000")
    mounted = (
        Mount("bind", "/app", str(tmp_path)),
        Mount("bind", "/app/x.py", str(tmp_path / "program.py")),
        Mount("secret", "/s", str(tmp_path / "secret.conf")),
    )
    assert links(mounts=mounted) == set()


def test_a_link_says_where_it_was_found():
    client = Service("web", MARK, image="x", environment={"B_URL": "http://orders:8000", "A_URL": "http://orders:8000"})
    (link,) = find_links({"web": client, "orders": SERVERS[0]}, traits())
    assert link.found_in == "environment A_URL"


def test_a_service_has_no_link_to_itself():
    client = Service("web", MARK, image="x", environment={"SELF": "http://web:8000"})
    assert find_links({"web": client}, traits()) == ()


def test_a_name_that_one_client_alone_uses():
    client = Service("web", MARK, image="x", environment={"URL": "http://api:8000"})
    services = {"web": client, "orders": SERVERS[0]}
    assert [link.server for link in find_links(services, traits(), {"web": {"api": "orders"}})] == ["orders"]
    assert find_links(services, traits()) == ()
