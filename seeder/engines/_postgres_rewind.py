"""Takes a database back to its mark: in place, where only rows changed; else by a swap against the copy that the server keeps."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seeder.engines import _postgres_found as found
from seeder.engines import _postgres_give_back as give_back
from seeder.engines import _postgres_mark as marks
from seeder.engines import _postgres_news as news
from seeder.engines import _postgres_outside as outside
from seeder.engines import _postgres_take as taking
from seeder.engines._postgres_connection import connect, driver, failing
from seeder.engines._postgres_found import Changes, Looks
from seeder.engines._postgres_keeper import Keeper
from seeder.engines._postgres_mark import MARK, SINCE, Mark
from seeder.engines._postgres_news import Reference
from seeder.errors import EnvironmentFailed
from seeder.passed.rewound import UNTOUCHED, Rewound, Way
from seeder.passed.target import Target

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

_ATTEMPTS = 3
_REPLACED = "the database was replaced, and connections to it ended"


class PostgresRewinder:
    """`_mark` is what was marked, `_since` the same as of the last rewind: another reference, other places."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._name = target.database or ""
        self._connection: Connection | None = None
        self._keeper = Keeper(target)
        self._start(None)

    def _start(self, mark: Mark | None) -> None:
        self._mark, self._looks = mark, Looks(mark) if mark else None
        self._since, self._written = mark, True
        self._rows = give_back.Store(self._folder)

    # -- marking ------------------------------------------------------------------------------------------------------

    def mark(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            path.unlink()
        with failing(self._target, "marked"):
            for _ in range(_ATTEMPTS):
                mark = taking.take(self._open(), self._folder, self._name)
                self._forget()
                lost, moment = self._keeper.take()
                if not mark.scanned:
                    mark = replace(mark, reference=moment)
                self._start(mark)
                if not mark.scanned or not any(self._differences()):
                    marks.write(self._folder, mark, MARK)
                    return "its database was copied, which ends connections to it" if lost else ""
        raise EnvironmentFailed(self._target.store, "its state cannot be marked: clients go on changing it", "hold them meanwhile")

    def _differences(self) -> tuple[tuple[str, ...], str]:
        changes, obstacle = self._find(found.snapshot(self._open(), self._name))
        return changes.names, obstacle

    # -- rewinding ----------------------------------------------------------------------------------------------------

    def rewind(self, way: Way) -> Rewound:
        with failing(self._target, "taken back to its mark"):
            self._read()
            try:
                return self._in_place(way)
            except driver().OperationalError:  # the connection was ended, or there is no such database any more
                self._forget()
            try:
                return self._in_place(way)
            except (driver().OperationalError, EnvironmentFailed) as error:
                return self._swap(str(error), ())

    def _read(self) -> Mark:
        if self._mark is None:
            self._start(marks.read(self._folder))
            with contextlib.suppress(EnvironmentFailed):  # nothing was put back since
                self._since = marks.read(self._folder, SINCE)
        return self._marked

    @property
    def _reference(self) -> Reference:
        return (self._since or self._marked).reference

    @property
    def _marked(self) -> Mark:
        if self._mark is None or self._since is None or self._looks is None:
            raise EnvironmentFailed(str(self._folder), "no state was marked there", "mark it first")
        return self._mark

    def _in_place(self, way: Way) -> Rewound:
        connection, mark = self._open(), self._marked
        snapshot = found.snapshot(connection, self._name)
        quiet = self._reference.is_now(snapshot)
        if way == "swap" and not quiet:
            return self._swap("", ())
        try:
            changes, obstacle = self._find(snapshot)
        except (driver().errors.UndefinedTable, driver().errors.UndefinedColumn, driver().errors.InvalidSchemaName) as error:
            return self._swap(f"the schema was changed ({str(error).splitlines()[0]})", ())
        altered = [] if quiet or obstacle else outside.restore(connection, self._name, mark.outside)[0]
        named = (*changes.names, *(f"database {name}" for name in altered))
        if not changes.names and not obstacle:
            return Rewound("in place", named) if altered else UNTOUCHED
        if obstacle or way == "swap":  # a sequence was drawn from, which no transaction tells
            return self._swap(obstacle, named)
        return self._give_back(connection, snapshot, changes, named)

    def _find(self, snapshot: str) -> tuple[Changes, str]:
        """What changed since the reference, and why that cannot be given back in place. Where nothing did, the reference moves on."""
        connection, mark, since, looks = self._open(), self._marked, self._since, self._looks
        assert since is not None and looks is not None  # noqa: PT018, S101  (_marked saw to it)
        sequences = looks.sequences(connection)
        if since.reference.is_now(snapshot):
            return Changes(sequences=sequences), ""
        if not mark.scanned:
            return Changes(sequences=sequences), "it was not looked at row by row: too many rows, or no superuser to see them all"
        if since.reference.is_too_old(snapshot):
            return Changes(sequences=sequences), "too many transactions came since"
        counts, obstacle = looks.schema(connection, since)
        if obstacle:
            return Changes(sequences=sequences), obstacle
        changes = looks.changes(connection, since, sequences)
        if not changes.names:
            self._move(replace(since, reference=news.reference(snapshot), catalogues=counts))
        else:
            self._since = replace(since, catalogues=counts)
        return changes, changes.obstacle(mark)

    def _give_back(self, connection: Connection, snapshot: str, changes: Changes, named: tuple[str, ...]) -> Rewound:
        since = self._since
        assert since is not None  # noqa: S101  (_find came before)
        try:
            own, storage = give_back.give_back(connection, self._folder, changes, since, self._rows)
        except driver().OperationalError:
            raise
        except (driver().Error, give_back.Changed) as error:
            return self._swap(f"it cannot be given back in place: {str(error).splitlines()[0]}", named)
        self._move(replace(since.with_storage(storage), reference=news.reference(snapshot, own)))
        return Rewound("in place", named)

    def _move(self, since: Mark) -> None:
        self._since, self._written = since, False

    def _swap(self, because: str, changed: tuple[str, ...]) -> Rewound:
        """The mark as it was written holds for the copy: its rows are in their first places."""
        mark = self._marked
        self._forget()
        (self._folder / SINCE).unlink(missing_ok=True)
        notes, moment = self._keeper.swap(mark)
        self._start(mark)
        self._move(replace(mark, reference=moment))
        if mark.scanned:
            self._keeper.clear(self._connect)
        return Rewound("swap", changed, because, _REPLACED, notes)

    # -- connections --------------------------------------------------------------------------------------------------

    def _open(self) -> Connection:
        self._keeper.wait()
        if self._connection is None or self._connection.closed:
            self._connect()
        assert self._connection is not None  # noqa: S101  (it was made)
        return self._connection

    def _connect(self) -> None:
        connection = connect(self._target, autocommit=True)
        if connection.execute("select current_setting('is_superuser') = 'on'").fetchone() == (True,):
            connection.execute(give_back.SETTINGS)
        self._connection = connection

    def _forget(self) -> None:
        self._keeper.wait()
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def close(self) -> None:
        self._forget()
        self._keeper.close()
        if self._since is not None and not self._written:
            tables = []
            for table in self._since.tables:
                if table.oid in self._rows.moved:
                    name = f"{Path(table.file).stem}.since"
                    marks.save(self._folder, name, self._rows.of(table))
                    table = replace(table, file=name)  # noqa: PLW2901  (the same table, its rows elsewhere)
                tables.append(table)
            marks.write(self._folder, replace(self._since, tables=tuple(tables)), SINCE)
            self._written = True
