"""Statements that a person typed: everything they answer, as the database writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from seeder.engines._postgres_connection import connect, driver, words
from seeder.errors import EnvironmentFailed, UsageError
from seeder.passed.content import Answer
from seeder.passed.target import Target

_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")


def answers(target: Target, statements: str) -> list[Answer]:
    """One for each statement. They are committed together. Raises UsageError with the database's words when it refuses one,
    EnvironmentFailed when the server cannot answer."""
    psycopg = driver()
    with closing(connect(target, autocommit=True)) as connection:
        try:
            return list(_answers(connection.execute(statements.encode())))
        except psycopg.OperationalError as error:
            raise EnvironmentFailed(target.store, words(error)) from error
        except psycopg.Error as error:
            raise _refused(target, statements, error) from error


def _answers(cursor: Any) -> Iterator[Answer]:
    more: Any = True
    while more:
        columns = tuple(column.name for column in cursor.description or ())
        given = cursor.pgresult
        rows = [tuple(_text(given.get_value(row, at)) for at in range(given.nfields)) for row in range(given.ntuples)]
        said = cursor.statusmessage or ""
        yield Answer(columns, rows, cursor.rowcount if said.startswith(_CHANGES) else None, returns=cursor.description is not None)
        more = cursor.nextset()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _refused(target: Target, statements: str, error: Any) -> UsageError:
    """What the server says and what it advises, each in its place."""
    told = [part for part in (error.diag.message_primary or str(error), error.diag.message_detail) if part]
    cause = f"{'; '.join(' '.join(part.split()).rstrip('.') for part in told)}, in `{' '.join(statements.split())}`"
    return UsageError(target.store, cause, " ".join((error.diag.message_hint or "").split()))
