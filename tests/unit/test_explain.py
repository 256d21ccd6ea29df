"""What changed since the last run is told in the words of the files."""

from __future__ import annotations

import pytest

from seeder.reuse import chain, explain

DIGEST = "d" * 64
INPUTS = {
    "image": {"context": "c", "args": {"BASE": "slim"}},
    "environment": {"PGDATA": "/data"},
    "files": {"/docker-entrypoint-initdb.d/1.sql": "c"},
    "parts": {"db": [["table", "countries", "csv", DIGEST]], "pg/orders": [["sql", "010-more", "sql", DIGEST]]},
    "revisions": [["0001_notes", DIGEST], ["0002_more", DIGEST]],
    "basis": {"shared": {"env.py": "d"}, "versions": {"alembic": "1"}, "history": "d"},
    "as_of": "2026-01-15",
    "databases": ["orders"],
}


def test_every_input_has_the_name_that_a_user_knows_it_by():
    assert [explain.named(way) for way in chain.flat(INPUTS)] == [
        "build context",
        "build argument BASE",
        "variable PGDATA",
        "mounted file /docker-entrypoint-initdb.d/1.sql",
        "db/countries.csv",
        "pg/orders/010-more.sql",
        "revision 0001_notes",
        "revision 0002_more",
        "env.py",
        "version of alembic",
        "the table of applied files",
        "as_of",
        "databases",
    ]


@pytest.mark.parametrize("way", ["engine", "image", "store"])
def test_what_says_itself_stays(way):
    assert explain.named(way) == way
