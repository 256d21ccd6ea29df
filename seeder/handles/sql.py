"""A store that answers SQL, in the hands of a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seeder.errors import EnvironmentFailed
from seeder.handles.plainly import plainly
from seeder.passed.target import Target
from seeder.protocols import Queries
from seeder.registry import ENGINES


class Sql:
    """A store that answers SQL. `:name` parameters are bound by the driver; each statement is committed by itself."""

    def __init__(self, target: Target, heard: Callable[[str], None] | None = None) -> None:
        """`heard` is told each statement before it is sent."""
        engine = ENGINES.get(target.engine)
        if not isinstance(engine, Queries):
            raise EnvironmentFailed(target.store, f"{engine.name} answers no SQL", "ask it by a client of its own: `environment.url(...)`")
        self._engine, self._target, self._heard = engine, target, heard

    @plainly
    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Every row of the answer; none for a statement that answers none. Raises EnvironmentFailed with the database's words."""
        if self._heard:
            self._heard(statement)
        return self._engine.query(self._target, statement, parameters or None)

    @plainly
    def scalar(self, statement: str, **parameters: Any) -> Any:
        """The first column of the first row; None when there is no row."""
        found = self.rows(statement, **parameters)
        return found[0][0] if found else None
