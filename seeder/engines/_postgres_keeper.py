"""The connection beside a database, from which it is copied and replaced; kept, and of use to nobody while it clears up."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from seeder.engines import _postgres_news as news
from seeder.engines import _postgres_outside as outside
from seeder.engines import _postgres_template as template
from seeder.engines._postgres_connection import driver
from seeder.engines._postgres_mark import Mark
from seeder.engines._postgres_news import Reference
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection


class Keeper:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: Connection | None = None
        self._clearing: threading.Thread | None = None

    def take(self) -> tuple[bool, Reference]:
        """Copy the database; whether clients lost their connections by it, and the moment after which they could come again."""
        lost, snapshot = template.take(self._open(), self._target)
        return lost, _after(snapshot)

    def swap(self, mark: Mark) -> tuple[tuple[str, ...], Reference]:
        """Replace the database by its copy; what could not be given back of what the server keeps, and the moment after it."""
        connection = self._open()
        if not template.is_there(connection, self._target):
            raise EnvironmentFailed(self._target.store, "the copy that was made when it was marked is gone", "mark it again")
        template.swap(connection, self._target)
        try:
            if mark.superuser:
                template.forget_replaced(connection, self._target)
            if not mark.scanned:  # only as long as no transaction came is it known to be untouched
                template.drop_replaced(connection, self._target)
            stay = outside.restore(connection, self._target.database or "", mark.outside)[1] if mark.superuser else []
            snapshot = template.snapshot(connection)
        finally:
            template.open_again(connection, self._target)
        return tuple(f"the role {name} stays: another database of the server needs it" for name in stay), _after(snapshot)

    def clear(self, afterwards: Callable[[], object]) -> None:
        """Remove the database that was replaced; nobody waits for it."""

        def work() -> None:
            with contextlib.suppress(driver().Error, EnvironmentFailed):
                if self._connection is not None:
                    template.drop_replaced(self._connection, self._target)
                afterwards()

        self._clearing = threading.Thread(target=work, name="seeder-postgres")
        self._clearing.start()

    def wait(self) -> None:
        """Until all is cleared up."""
        if self._clearing is not None:
            self._clearing.join()
            self._clearing = None

    def close(self) -> None:
        self.wait()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        self.wait()
        if self._connection is None or self._connection.closed:
            self._connection = template.keeper(self._target)
        return self._connection


def _after(snapshot: str) -> Reference:
    """The moment once the database is open again, which takes a single transaction."""
    return news.reference(snapshot, int(snapshot.split(":")[1]))
