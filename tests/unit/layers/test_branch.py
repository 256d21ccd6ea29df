"""Which of a checkout's files the default branch holds as they are here, as git tells."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.reuse import branch

Git = Callable[..., None]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Git in a repository of its own, whose branch main holds `old.sql` and `folder/deep.sql`; of no CI job."""
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_DEFAULT_BRANCH"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    (tmp_path / "folder").mkdir()
    for name in ("old.sql", "folder/deep.sql"):
        (tmp_path / name).write_text(f"select '{name}';\n")
    run("add", ".")
    run("commit", "-q", "-m", "first")
    return run


def held(folder: Path, *names: str) -> dict[str, bool]:
    files = [folder / name for name in names]
    found = branch.default(folder, files)
    assert found is not None
    return {name: found.holds(file) for name, file in zip(names, files, strict=True)}


@pytest.mark.usefixtures("git")
def test_what_is_there_unchanged_is_held_and_nothing_else(tmp_path: Path) -> None:
    assert held(tmp_path, "old.sql", "folder/deep.sql") == {"old.sql": True, "folder/deep.sql": True}
    (tmp_path / "new.sql").write_text("select 1;\n")
    (tmp_path / "old.sql").write_text("select 2;\n")
    assert held(tmp_path, "old.sql", "folder/deep.sql", "new.sql") == {"old.sql": False, "folder/deep.sql": True, "new.sql": False}


def test_a_commit_on_another_branch_changes_nothing(tmp_path: Path, git: Git) -> None:
    git("switch", "-q", "-c", "feature")
    (tmp_path / "new.sql").write_text("select 1;\n")
    git("add", ".")
    git("commit", "-q", "-m", "second")
    assert held(tmp_path, "old.sql", "new.sql") == {"old.sql": True, "new.sql": False}


def test_a_ci_job_says_what_it_goes_into(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    git("update-ref", "refs/remotes/origin/release", "main")
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    found = branch.default(tmp_path, [tmp_path / "old.sql"])
    assert found is not None
    assert found.name == "origin/release"


def test_without_a_repository_or_git_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert branch.default(tmp_path, []) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert branch.default(tmp_path, []) is None


@pytest.mark.usefixtures("git")
def test_a_file_outside_of_the_repository_is_not_held(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "old.sql"
    other.write_bytes((tmp_path / "old.sql").read_bytes())
    found = branch.default(tmp_path, [other])
    assert found is not None
    assert not found.holds(other)
