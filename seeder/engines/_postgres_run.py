"""Runs SQL files in the transaction of a load, pg_dump's output included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seeder.engines._postgres_blame import is_servers
from seeder.engines._postgres_connection import driver, words
from seeder.engines._postgres_script import Copy, Malformed, Meta, Statement, split
from seeder.engines._postgres_settings import LIBRARIES
from seeder.errors import DefinitionError, Mark
from seeder.passed.content import Script

if TYPE_CHECKING:
    import psycopg

    from seeder.engines._postgres_connection import Connection

# The load is one transaction; what begins and ends one inside a file is left out.
_FRAME = re.compile(r"(begin|start\s+transaction|commit|end)(\s+(work|transaction))?\s*$", re.IGNORECASE)
_ABORT = re.compile(r"(rollback|abort)(\s+(work|transaction))?\s*$|prepare\s+transaction\b", re.IGNORECASE)
# pg_dump lifts its session's time limits, also ones that an older server does not know; the load keeps its own.
_LIMIT = re.compile(r"set\s+(session\s+)?\w+_timeout\s*(=|to\b)", re.IGNORECASE)
_UNCHECKED = re.compile(r"session_replication_role|disable\s+trigger", re.IGNORECASE)
_COPY_LINE = re.compile(r"^COPY .*?, line (\d+)", re.MULTILINE)
_BLOCK = 1 << 16
_SHOWN = 120  # characters of a statement
_NO_TRANSACTION = "25001"
_EXTENSION = re.compile(r"create\s+extension\b", re.IGNORECASE)
_ABSENT = {"0A000", "58P01"}  # feature not supported, undefined file: what PostgreSQL says of an extension that is not installed


def run(connection: Connection, script: Script) -> tuple[int, bool]:
    """Execute every statement; answer the rows written, and whether the file switched foreign keys off on its way.

    Session settings that the file makes end with it. Raises DefinitionError with file, line, statement and the database's words.
    """
    path = script.part.path
    database = connection.info.dbname
    rows, unchecked = 0, False
    with path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            for part in split(lines):
                if isinstance(part, Meta):
                    _meta(part, script, database)
                else:
                    unchecked = unchecked or bool(_UNCHECKED.search(part.text))
                    rows += _execute(connection, part, script)
        except Malformed as error:
            raise DefinitionError(script.part.name, str(error), "", Mark(path, error.line)) from error
        except UnicodeDecodeError as error:
            raise DefinitionError(script.part.name, f"it is not UTF-8 text: {error.reason}", "save it as UTF-8", Mark(path, 1)) from error
    connection.execute("reset session authorization")
    connection.execute("reset all")
    return rows, unchecked


def _meta(part: Meta, script: Script, database: str) -> None:
    same = part.argument.split(" ")[0].strip('"') in {database, "-"}
    known = part.name in {"restrict", "unrestrict"} or (part.name in {"c", "connect"} and same)
    if known or (part.name == "set" and part.argument.split(" ")[0] == "ON_ERROR_STOP"):
        return
    remedy = "remove the line; psql's commands are not SQL"
    if part.name in {"c", "connect"}:
        remedy = f"remove the line; the file is for the database {database}, as its folder says"
    raise DefinitionError(script.part.name, f"\\{part.name} is not supported", remedy, Mark(script.part.path, part.line))


def _execute(connection: Connection, statement: Statement, script: Script) -> int:
    mark = Mark(script.part.path, statement.line)
    if _FRAME.match(statement.text) or _LIMIT.match(statement.text):
        return 0
    if _ABORT.match(statement.text):
        raise DefinitionError(script.part.name, f"`{statement.text}`: a file runs in one transaction", "remove the statement", mark)
    try:
        with connection.cursor() as cursor:
            if isinstance(statement, Copy):
                with cursor.copy(statement.text.encode()) as stream:
                    for block in _blocks(statement.data):
                        stream.write(block)
            else:
                cursor.execute(statement.text.encode())
            status = (cursor.statusmessage or "").split()
            return cursor.rowcount if status[:1] in (["INSERT"], ["COPY"], ["UPDATE"], ["MERGE"]) else 0
    except driver().Error as error:
        if is_servers(error):
            raise
        raise _refusal(error, statement, script) from error


def _blocks(lines: Iterator[str]) -> Iterator[bytes]:
    block: list[str] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= _BLOCK:
            yield "".join(block).encode()
            block, size = [], 0
    yield "".join(block).encode()


def _refusal(error: psycopg.Error, statement: Statement, script: Script) -> DefinitionError:
    line = statement.line
    inside = _COPY_LINE.search(error.diag.context or "")
    if isinstance(statement, Copy) and inside:
        line += statement.text.count("\n") + int(inside[1])
    elif error.diag.statement_position:
        line += statement.text.count("\n", 0, int(error.diag.statement_position) - 1)
    start = " ".join(statement.text[: _SHOWN * 2].split())
    shown = f"{start[:_SHOWN]}..." if len(start) > _SHOWN else start
    return DefinitionError(script.part.name, f"{words(error)} in `{shown}`", _remedy(error, statement), Mark(script.part.path, line))


def _remedy(error: psycopg.Error, statement: Statement) -> str:
    if error.sqlstate == _NO_TRANSACTION:
        return "leave out the statement, or CONCURRENTLY where it says so: a file runs in one transaction, and nobody else is there"
    if error.sqlstate in _ABSENT and _EXTENSION.match(statement.text.lstrip()):
        return f"take an image that has it and --runtime docker: an embedded server has {' and '.join(sorted(LIBRARIES))} alone"
    return ""
