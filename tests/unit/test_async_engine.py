"""What a database of a test says where a package is missing."""

from __future__ import annotations

import sys

import pytest

from seeder.errors import DefinitionError
from seeder.passed.target import Target
from seeder.testing.database import Database


def test_an_engine_for_asyncio_without_greenlet_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "greenlet", None)
    database = Database(Target.at("db", "postgres", "postgresql://app:app@127.0.0.1:1/shop", 5432))
    with pytest.raises(DefinitionError, match=r"async_engine: SQLAlchemy needs greenlet.*\n.*pip install 'sqlalchemy\[asyncio\]'"):
        _ = database.async_engine
