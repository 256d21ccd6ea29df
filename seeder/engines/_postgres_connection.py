"""Connections to PostgreSQL, and how its refusals are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seeder.engines import _driver
from seeder.errors import EnvironmentFailed
from seeder.passed.target import Target

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

# Values are read as text under these, whatever the server, the database or the role say. A client's open transaction may stand in
# the way for so long and no longer.
SETTINGS = (
    "-c lock_timeout=20s "
    "-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex "
    "-c client_encoding=UTF8 -c lc_monetary=C -c xmloption=content -c standard_conforming_strings=on -c statement_timeout=0"
)
BLOCKED = "a client holds a transaction open on its tables; end it, or restart that service"


def driver() -> Any:
    """The psycopg module. Raises DefinitionError with the extra to install."""
    return _driver.module("postgres", "psycopg")


def dial(target: Target, *, database: str | None = None, timeout: int = 10, autocommit: bool = False) -> Connection:
    """Connect; the driver's own error when that fails."""
    connection: Connection = driver().connect(
        host=target.address.host,
        port=target.address.port,
        user=target.user,
        password=target.password,
        dbname=database or target.database,
        connect_timeout=timeout,
        application_name="seeder",
        options=SETTINGS,
        sslmode="prefer",
        gssencmode="disable",
        passfile="/dev/null/none",  # nobody's ~/.pgpass decides who we are
        autocommit=autocommit,
        prepare_threshold=None,
    )
    return connection


def connect(target: Target, *, database: str | None = None, autocommit: bool = False) -> Connection:
    """Connect, or raise EnvironmentFailed with the server's words."""
    try:
        return dial(target, database=database, autocommit=autocommit)
    except driver().OperationalError as error:
        raise EnvironmentFailed(target.store, f"cannot connect to {target.address}: {words(error)}") from error


def words(error: Exception) -> str:
    """The database's message with its detail and hint, on one line, each without the full stop that some of them have."""
    diag = getattr(error, "diag", None)
    parts = [diag.message_primary, diag.message_detail, diag.message_hint] if diag and diag.message_primary else [str(error)]
    return "; ".join(" ".join(part.split()).rstrip(".") for part in parts if part)


@contextmanager
def failing(target: Target, what: str) -> Iterator[None]:
    """The database's refusals inside, as one error: the store cannot be `what` (saved, restored, ...)."""
    try:
        yield
    except driver().errors.LockNotAvailable as error:
        raise EnvironmentFailed(target.store, f"it cannot be {what}: {words(error)}", BLOCKED) from error
    except driver().Error as error:
        raise EnvironmentFailed(target.store, f"it cannot be {what}: {words(error)}") from error
