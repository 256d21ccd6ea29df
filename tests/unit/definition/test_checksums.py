"""SHA256SUMS: what it lists is what is there, and pointers are called pointers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from seeder.definition.checksums import is_locked, lock, verify
from seeder.definition.dataset import Dataset, data_files
from seeder.errors import Mark

POINTER = f"version https://example.org/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"


@pytest.fixture
def dataset(write):
    """Reads the folder anew, as the next command would."""

    def make(files: dict[str, str] | None = None) -> Dataset:
        folder = write({f"data/{name}": content for name, content in (files or {}).items()}) / "data"
        return Dataset("checkout", "3.2.0", "golden", folder, data_files(folder), Mark(Path("manifest.yaml"), 3))

    return make


def _causes(dataset: Dataset) -> list[str]:
    return [f"{problem.subject.split()[1]}: {problem.cause}" for problem in verify(dataset)]


def test_a_locked_dataset_is_sound_and_locking_twice_changes_nothing(dataset):
    given = dataset({"db/b.csv": "1\n", "db/a.csv": "2\n", "README.md": "x"})
    assert not is_locked(given)
    written = lock(given)
    first = written.read_bytes()
    assert lock(dataset()).read_bytes() == first
    assert verify(dataset()) == []
    assert [line.split("  ")[1] for line in first.decode().splitlines()] == ["db/a.csv", "db/b.csv"]
    assert [path.name for path in written.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_sha256sum_reads_it(dataset):
    written = lock(dataset({"db/a b.csv": "1\n", "db/back\\slash.csv": "2\n", "db/line\nend.csv": "3\n"}))
    checked = subprocess.run(["sha256sum", "-c", written.name], cwd=written.parent, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert verify(dataset()) == []


def test_a_changed_a_missing_and_a_new_file_are_told_with_their_lines(dataset):
    lock(dataset({"db/a.csv": "1\n", "db/b.csv": "2\n"}))
    (dataset().path / "db/a.csv").write_text("9\n")
    (dataset().path / "db/b.csv").unlink()
    found = verify(dataset({"db/c.csv": "3\n"}))
    assert [(p.subject, p.cause, p.mark.file.name, p.mark.line) for p in found] == [
        ("checkout@3.2.0 db/a.csv", "differs from its digest in SHA256SUMS", "SHA256SUMS", 1),
        ("checkout@3.2.0 db/b.csv", "is listed in SHA256SUMS and missing", "SHA256SUMS", 2),
        ("checkout@3.2.0 db/c.csv", "is not listed in SHA256SUMS", "c.csv", 1),
    ]
    assert all("seeder dataset lock checkout" in problem.remedy for problem in found)


def test_a_line_that_is_none_is_told(dataset):
    written = lock(dataset({"db/a.csv": "1\n"}))
    written.write_text(written.read_text() + "what is this\n")
    [problem] = verify(dataset())
    assert ("this line is not" in problem.cause, problem.mark.line) == (True, 2)


def test_without_checksums_nothing_is_wrong(dataset):
    assert verify(dataset({"db/a.csv": "1\n"})) == []


def test_pointers_that_were_not_fetched_are_named_as_such(dataset):
    given = dataset({"db/a.csv": "1\n", "db/b.csv.dvc": "outs:\n- path: b.csv\n"})
    (given.path / "db/broken.csv").symlink_to("nowhere/else")
    given = dataset({"db/a.csv": POINTER})
    assert _causes(given) == [
        "db/a.csv: is a pointer of Git LFS, its content was not fetched",
        "db/broken.csv: is a symbolic link that leads nowhere",
        "db/b.csv.dvc: is a pointer of DVC, and b.csv was not fetched",
    ]


def test_a_pointer_is_told_as_a_pointer_and_not_as_a_change(dataset):
    lock(dataset({"db/a.csv": "1\n", "db/b.csv.dvc": "outs: []", "db/b.csv": "2\n"}))
    assert verify(dataset()) == []
    assert _causes(dataset({"db/a.csv": POINTER})) == ["db/a.csv: is a pointer of Git LFS, its content was not fetched"]


def test_data_that_speaks_of_pointers_is_none(dataset):
    assert verify(dataset({"db/a.csv": POINTER + "more\n", "db/b.csv": "version\n" * 300})) == []
