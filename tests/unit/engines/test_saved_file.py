"""A saved store's index names files beside it, as they were written."""

import hashlib

import pytest

from seeder.engines import _saved_file
from seeder.errors import EnvironmentFailed

SUM = hashlib.sha256(b"x\n").hexdigest()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    for path in (tmp_path / "outside.sql", tmp_path / "store" / "schema.sql"):
        path.write_text("x\n")
    (tmp_path / "store" / "link.sql").symlink_to(tmp_path / "outside.sql")
    return tmp_path / "store"


def test_a_file_as_it_was_written_is_taken(folder):
    assert _saved_file.file(folder, "schema.sql", SUM) == folder / "schema.sql"


@pytest.mark.parametrize("name", ["../outside.sql", "{outside}/outside.sql", "link.sql", "..", "", ".hidden.sql", None, "absent.sql"])
def test_another_file_is_refused(folder, name):
    given = name.format(outside=folder.parent) if name else name
    with pytest.raises(EnvironmentFailed, match=r"no file of a saved store|is missing"):
        _saved_file.file(folder, given, SUM)


@pytest.mark.parametrize("stated", ["0" * 64, None])
def test_a_changed_file_and_one_without_digest_are_refused(folder, stated):
    with pytest.raises(EnvironmentFailed, match="was changed"):
        _saved_file.file(folder, "schema.sql", stated)
