"""Tables as migrations made them, and as they are found."""

import pytest

from seeder.gates._changes import added, changes
from seeder.passed.content import ColumnInfo, TableInfo

ID, NAME = ColumnInfo("id", "integer", nullable=False), ColumnInfo("name", "text", nullable=True)
MADE = {"notes": TableInfo("notes", (ID, NAME), ("id",), {"short": "CHECK (length(name) < 9)"}), "kinds": TableInfo("kinds", (ID,), ())}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (MADE["notes"], []),
        (TableInfo("notes", (NAME, ID), ("id",), MADE["notes"].constraints), []),  # the order of columns is nobody's business
        (None, [("notes", "the table is gone")]),
        (TableInfo("notes", (ID,), ("id",), MADE["notes"].constraints), [("notes.name", "the column (text) is gone")]),
        (
            TableInfo("notes", (ID, NAME, ColumnInfo("tag", "uuid", nullable=True)), ("id",), MADE["notes"].constraints),
            [("notes.tag", "the column (uuid) was added")],
        ),
        (
            TableInfo("notes", (ColumnInfo("id", "bigint", nullable=True, filled=True), NAME), ("id",), MADE["notes"].constraints),
            [("notes.id", "it is bigint, and was integer, it may be null, and might not be, it has a default, and had none")],
        ),
        (
            TableInfo("notes", (ID, NAME), (), {"short": "CHECK (true)", "one": "UNIQUE (name)"}),
            [
                ("notes", "its primary key is none, and was (id)"),
                ("notes", "one was added: UNIQUE (name)"),
                ("notes", "short is CHECK (true), and was CHECK (length(name) < 9)"),
            ],
        ),
        (TableInfo("notes", (ID, NAME), ("id",)), [("notes", "short is gone: CHECK (length(name) < 9)")]),
    ],
)
def test_every_difference_is_told_with_its_place(found, told):
    now = {"kinds": MADE["kinds"], **({"notes": found} if found else {})}
    assert list(changes(MADE, now)) == told


def test_tables_beside_them_are_no_changes():
    now = {**MADE, "jobs": TableInfo("jobs", (ID,), ())}
    assert list(changes(MADE, now)) == []
    assert added(MADE, now) == ["jobs"]
