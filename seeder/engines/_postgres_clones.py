"""Copies of a database on its own server, each for one test: in the state in which it was kept, with its settings and privileges."""

from __future__ import annotations

import contextlib
import dataclasses
from contextlib import closing
from typing import TYPE_CHECKING

from seeder.engines import _postgres_outside as outside
from seeder.engines import _postgres_template as template
from seeder.engines._postgres_connection import driver, failing
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

# Flushing is most of what a copy takes. It can be left out as long as the server runs, and the data folder of a kept state is another.
_UNFLUSHED = ("alter system set fsync = off", "alter system set full_page_writes = off", "select pg_reload_conf()")


def keep(target: Target) -> None:
    """Keep the database aside as it is now, to be copied."""
    with failing(target, "copied"), closing(template.keeper(target)) as connection:
        with contextlib.suppress(driver().Error):  # no superuser, or a server that is set up elsewhere: it is only slower
            for statement in _UNFLUSHED:
                connection.execute(statement.encode())
        template.take(connection, target)


class PostgresCloner:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Connection | None = None
        self._kept: outside.Outside = {}

    def clone(self, name: str) -> Target:
        with failing(self._target, "copied"):
            connection = self._open()
            template.clone(connection, self._target, name)
            if self._kept:
                outside.bestow(connection, name, self._kept)
        return dataclasses.replace(self._target, database=name)

    def drop(self, clone: Target) -> None:
        with failing(self._target, "removed"):
            template.drop(self._open(), clone.database or "")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connection = template.keeper(self._target)
            superuser = connection.execute("select current_setting('is_superuser') = 'on'").fetchone() == (True,)
            self._kept = outside.read(connection, self._target.database or "") if superuser else {}
        return self._connection
