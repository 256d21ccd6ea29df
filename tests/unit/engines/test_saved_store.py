"""A saved store's index names files beside it, as they were written."""

import hashlib

import pytest

from seeder.engines import _saved_store
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
    assert _saved_store.file(folder, {"file": "schema.sql", "sha256": SUM}) == folder / "schema.sql"


@pytest.mark.parametrize("name", ["../outside.sql", "{outside}/outside.sql", "link.sql", "..", "", ".hidden.sql", None, "absent.sql"])
def test_another_file_is_refused(folder, name):
    given = name.format(outside=folder.parent) if name else name
    with pytest.raises(EnvironmentFailed, match=r"no file of a saved store|is missing"):
        _saved_store.file(folder, {"file": given, "sha256": SUM})


@pytest.mark.parametrize("stated", ["0" * 64, None])
def test_a_changed_file_and_one_without_digest_are_refused(folder, stated):
    with pytest.raises(EnvironmentFailed, match="was changed"):
        _saved_store.file(folder, {"file": "schema.sql", "sha256": stated})


FORM = _saved_store.Form("redis", 2)


def test_an_index_comes_back(folder):
    FORM.write(folder, {"keys": 3})
    assert FORM.read(folder, "keys") == {"engine": "redis", "format": 2, "keys": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "this is no saved redis store"),
        ("{", "this is no saved redis store"),
        ("[]", "this is no saved redis store"),
        ('{"engine": "redis", "format": 2}', "its index has no keys"),
        ('{"engine": "redis", "format": 1, "keys": 3}', "it was saved by redis in format 1"),
        ('{"engine": "nats", "format": 2, "keys": 3}', "it was saved by nats in format 2"),
    ],
)
def test_another_index_is_refused(folder, text, said):
    if text is not None:
        (folder / _saved_store.INDEX).write_text(text)
    with pytest.raises(EnvironmentFailed, match=said):
        FORM.read(folder, "keys")


def test_the_entry_of_a_file_that_was_written_finds_it_again(folder):
    with _saved_store.writing(folder / "rows.copy") as rows:
        rows.write(b"1\n")
        rows.write(b"2\n")
    assert rows.count == 2
    assert _saved_store.file(folder, rows.entry) == folder / "rows.copy"
    assert _saved_store.entry(folder / "rows.copy") == rows.entry
