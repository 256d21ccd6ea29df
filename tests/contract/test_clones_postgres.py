"""Copies of a database have all that the server keeps of it; every engine that copies stores keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seeder.engines._postgres_connection import connect
from seeder.passed.target import Target
from seeder.protocols import Clones
from seeder.registry import ENGINES
from tests.contract.clones_contract import ClonesContract, fresh
from tests.contract.engine_contract import load
from tests.contract.serving import Server
from tests.contract.test_postgres import SCHEMA, tables


@pytest.mark.one_runtime
class TestPostgres(ClonesContract):
    compose = """
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: pw, POSTGRES_DB: shop}
"""

    def fill(self, server: Server, folder: Path) -> None:
        server.engine.query(server.target(), SCHEMA)
        load(server.engine, server.target(), tables(folder))

    def alter(self, server: Server, target: Target) -> None:
        server.engine.query(target, "update orders set total = total + 1 where id = 41")

    @contextmanager
    def client(self, target: Target) -> Iterator[Callable[[], object]]:
        with closing(connect(target, autocommit=True)) as connection:
            yield lambda: connection.execute("select 1").fetchone()

    def unkept(self, server: Server) -> Target:
        return replace(server.target(), database="template1")

    def test_settings_privileges_and_sequences_are_those_of_the_store(self, server: Server) -> None:
        ask: Callable[..., list[tuple[Any, ...]]] = server.engine.query
        ask(server.target(), "drop role if exists reader; create role reader; grant connect on database shop to reader")
        ask(server.target(), "alter database shop set work_mem = '5MB'; revoke connect on database shop from public")
        ask(server.target(), "create sequence if not exists apart start 5; select nextval('apart')")
        server.engine.template(server.target())
        cloner = server.engine.cloner(server.target())
        copy = cloner.clone(fresh())
        rights = "select (datacl::text[])[1:] from pg_database where datname = current_database()"
        assert ask(copy, "show work_mem") == [("5MB",)]
        assert ask(copy, rights) == ask(server.target(), rights)
        assert ask(copy, "select nextval('apart')") == [(6,)]
        ask(server.target(), "alter database shop reset work_mem; grant connect on database shop to public; drop sequence apart")
        cloner.drop(copy)
        cloner.close()
        ask(server.target(), "revoke connect on database shop from reader; drop role reader")


def test_every_engine_that_copies_stores_keeps_the_contract() -> None:
    assert [name for name in ENGINES.names() if isinstance(ENGINES.get(name), Clones)] == ["postgres"]
