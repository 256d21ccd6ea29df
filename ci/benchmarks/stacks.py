"""Stacks that benchmarks make up: databases of a given size, and many small services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEALTHY = {"test": ["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-U", "app"], "interval": "1s", "timeout": "3s", "retries": 60}
LOGIN = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "app"}
ROW = 1170  # bytes of a row of `padding` on disk: seven in a page
PADDING = """create table padding (id int primary key, body text not null);
insert into padding select n, repeat(md5(n::text), 30) from generate_series(1, {rows}) n;
"""
SMALL = """create table items (id int generated always as identity primary key, name text not null);
insert into items (name) select 'item ' || n from generate_series(1, 100) n;
"""
# It answers once it has reached its database, with nothing but Python's own library.
SERVICE = """import http.server, os, signal, socket, sys, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
database = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
socket.create_connection((database.hostname, database.port), timeout=10).close()
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


def sized(folder: Path, megabytes: Mapping[str, int]) -> None:
    """A project with a stack of one database for each size. Little write-ahead log is kept: it would be as large as the rows."""
    settings = ["postgres", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB"]
    for name, size in megabytes.items():
        _write(folder / name / "migrations/0001_padding.sql", PADDING.format(rows=size * 1_000_000 // ROW))
        _compose(folder / name, {"db": {**_database("migrations", "padding"), "command": settings}})
    _manifest(folder, list(megabytes))


def many(folder: Path, services: int, databases: int) -> None:
    """A project with one stack, `many`: each service asks one database, which others ask as well."""
    made: dict[str, Any] = {f"db-{number}": _database("migrations", f"items{number}") for number in range(databases)}
    for number in range(services):
        made[f"service-{number}"] = _service(f"db-{number % databases}", f"items{number % databases}")
    _write(folder / "many/migrations/0001_items.sql", SMALL)
    _write(folder / "many/app/service.py", SERVICE)
    _compose(folder / "many", made)
    _manifest(folder, ["many"])


def _database(migrations: str, name: str) -> dict[str, Any]:
    kept = {"store": "postgres", "migrate": {"sql": migrations}}
    return {"image": "postgres:17", "environment": {**LOGIN, "POSTGRES_DB": name}, "healthcheck": HEALTHY, "x-seeder": kept}


def _service(server: str, database: str) -> dict[str, Any]:
    return {
        "image": "python:3.13-slim",
        "command": ["python3", "/app/service.py", "0.0.0.0", "8000"],
        "environment": {"DATABASE_URL": f"postgresql://app:app@{server}:5432/{database}"},
        "volumes": ["./app:/app:ro"],
        "expose": ["8000"],
        "depends_on": {server: {"condition": "service_healthy"}},
        "x-seeder": {"ready": {"http": "/"}, "local": {"command": ["{python}", "app/service.py", "{host}", "{port}"], "cwd": "."}},
    }


def _manifest(folder: Path, stacks: list[str]) -> None:
    named = {name: {"compose": [f"{name}/compose.yaml"], "version": "1.0.0"} for name in stacks}
    _write(folder / "manifest.yaml", json.dumps({"seeder": "1", "project": "bench", "stacks": named}))


def _compose(folder: Path, services: Mapping[str, Any]) -> None:
    _write(folder / "compose.yaml", json.dumps({"services": services}, indent=1))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
