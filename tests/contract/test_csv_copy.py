"""The CSV reader is held against COPY itself: the same text gives the same rows, or is refused by both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError
from seeder.loaders.table import TableLoader
from tests.fakes.world import AS_OF, opened, read

COMPOSE = """
services:
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: app, POSTGRES_DB: rows}
"""
Rows = list[tuple[str | None, ...]]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    path = tmp_path_factory.mktemp("copy") / "compose.yaml"
    path.write_text(COMPOSE)
    with opened(read(path), "db") as world, psycopg.connect(world.target("db").url(), autocommit=True) as opened_connection:
        opened_connection.execute("create table rows (number int generated always as identity, a text, b text)")
        yield opened_connection


def by_copy(connection: psycopg.Connection, text: str) -> Rows | None:
    connection.execute("truncate rows")
    try:
        with connection.cursor().copy("copy rows (a, b) from stdin (format csv, header)") as stream:
            stream.write(text.encode())
    except psycopg.Error:
        return None
    return connection.execute("select a, b from rows order by number").fetchall()


def by_reader(folder: Path, text: str) -> Rows | None:
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    try:
        return [row.values for row in TableLoader().read(Part("table", "db", "rows", path, "csv"), AS_OF).rows()]
    except DefinitionError:
        return None


# Pieces rather than characters: most of what they make is close to a good file.
pieces = st.lists(st.sampled_from(["a", "ä", " ", '"', '""', ",", "\n", '"x,y"', "\\", "'"]), max_size=12).map("".join)
fields = st.sampled_from(["a", "", '""', '"a""b"', '"a,\nb"', 'x"y"z', " a ", '" "', "NULL", "\\N", "'", '"\r\n"'])
rows = st.lists(st.tuples(fields, fields).map(",".join), max_size=4).map(lambda lines: "".join(f"{line}\n" for line in lines))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(rows, pieces.map(lambda text: f"{text}\n")))
@example(body='""""""""\n')
@example(body='a,"b\n')
@example(body='a,b"\n"c,d\n')
@example(body="\n")
def test_the_reader_and_copy_agree(connection: psycopg.Connection, tmp_path: Path, body: str) -> None:
    text = f"a,b\n{body}"
    assert by_reader(tmp_path, text) == by_copy(connection, text)


def test_windows_line_ends_agree(connection: psycopg.Connection, tmp_path: Path) -> None:
    text = 'a,b\r\n1,"x\r\ny"\r\n2,\r\n'
    assert by_reader(tmp_path, text) == by_copy(connection, text) == [("1", "x\r\ny"), ("2", None)]
