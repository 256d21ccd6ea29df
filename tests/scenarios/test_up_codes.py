"""`up` ends with the codes of all other commands, whatever `run` would end with."""

from __future__ import annotations

from tests.scenarios.failing import change
from tests.scenarios.seeder import seeder


def test_a_bad_row_is_a_mistake_of_the_definition(project, home):
    folder = project("small")
    change(folder, "testdata/golden/notes/db/notes.csv", "2,task", "1,task")
    said = seeder("up", "--scenario", "ready", "--runtime", "local", cwd=folder)
    assert (said.code, "notes.csv:" in said.err) == (2, True), said.err
