"""A bundle accounts for every byte."""

import hashlib
import json
import os
import time

import pytest

from seeder.errors import SeederError
from seeder.evidence import bundle


@pytest.fixture
def sealed(tmp_path):
    folder = tmp_path / "k3x9"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "web.log").write_text("started\n")
    (folder / "plan.txt").write_text("start web\n")
    return bundle.seal(folder, {"id": "k3x9", "cause": "the command ended with code 7"}).path


def test_a_sealed_bundle_verifies(sealed):
    assert bundle.verify(sealed).id == "k3x9"


@pytest.mark.parametrize("name", ["logs/web.log", "plan.txt", "bundle.json"])
def test_one_changed_byte_is_refused(sealed, name):
    path = sealed / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(SeederError) as refused:
        bundle.verify(sealed)
    assert name in str(refused.value)


def test_white_space_added_to_the_index_is_a_change_too(sealed):
    path = sealed / "bundle.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(SeederError, match="changed"):
        bundle.verify(sealed)


def test_missing_and_foreign_files_are_all_named(sealed):
    (sealed / "plan.txt").unlink()
    (sealed / "extra").write_text("x")
    with pytest.raises(SeederError) as refused:
        bundle.verify(sealed)
    assert "plan.txt: is missing" in str(refused.value)
    assert "extra: is not part" in str(refused.value)


def test_a_link_in_place_of_a_file_is_refused(sealed, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("start web\n")
    (sealed / "plan.txt").unlink()
    (sealed / "plan.txt").symlink_to(outside)
    with pytest.raises(SeederError, match=r"plan\.txt: was changed"):
        bundle.verify(sealed)


def test_a_folder_without_index_is_no_bundle(tmp_path):
    with pytest.raises(SeederError, match="not a bundle"):
        bundle.read(tmp_path)


def test_listing_shows_good_and_bad_ones(sealed):
    other = sealed.parent / "broken"
    other.mkdir()
    (other / "bundle.json").write_text("{")
    listed = bundle.list_all(sealed.parent)
    assert sorted(type(one).__name__ for one in listed) == ["Bundle", "EnvironmentFailed"]


@pytest.mark.parametrize("index", [{"id": "x"}, {"id": "x", "files": ["a"]}, {"id": "x", "files": {"a": 1}}, {"files": {}}])
def test_an_index_of_another_shape_is_refused(tmp_path, index):
    folder = tmp_path / "odd"
    folder.mkdir()
    path = bundle.seal(folder, {"id": "x"}).path / "bundle.json"
    whole = {"format": bundle.FORMAT, **index}
    whole["digest"] = hashlib.sha256((json.dumps(whole, indent=2, sort_keys=True) + "\n").encode()).hexdigest()
    path.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n")
    with pytest.raises(SeederError, match="is not what a bundle's index looks like"):
        bundle.verify(folder)


def test_old_bundles_are_those_beyond_the_newest_and_what_is_being_written_is_none(tmp_path):
    day = 86400.0
    now = time.time()
    for age, name in enumerate(["new", "older", "oldest"]):
        (tmp_path / name).mkdir()
        made = bundle.seal(tmp_path / name, {"id": name, "cause": ""})
        os.utime(made.path / "bundle.json", (now - 10 * age * day, now - 10 * age * day))
    for name in ("half", "being-written"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.txt").touch()
    for path in (tmp_path / "half/plan.txt", tmp_path / "half"):
        os.utime(path, (now - 2 * day, now - 2 * day))
    assert [path.name for path in bundle.old(tmp_path, 0, None)] == ["half", "oldest", "older", "new"]
    assert [path.name for path in bundle.old(tmp_path, 2, None)] == ["half", "oldest"]
    assert [path.name for path in bundle.old(tmp_path, 0, now - 5 * day)] == ["half", "oldest", "older"]
    assert [path.name for path in bundle.old(tmp_path, 2, now - 5 * day)] == ["half", "oldest"]
    bundle.remove(tmp_path / "oldest")
    assert not (tmp_path / "oldest").exists()
