"""What the branch that others start from holds, as git tells: a state that only its files lead to is worth keeping for all of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from seeder.frozen import frozen

_TARGETS = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_DEFAULT_BRANCH")  # what a CI job says that it goes into
_SECONDS = 10.0
_SHA1 = 40  # characters of an id by it; repositories that use SHA-256 have longer ones


@frozen
class Branch:
    """`blobs`: the git object id of each of the asked files that it holds."""

    name: str
    blobs: Mapping[Path, str]

    def holds(self, file: Path) -> bool:
        """Whether it has the file as it is here."""
        blob = self.blobs.get(Path(os.path.realpath(file)))
        return blob is not None and blob == _blob(file, "sha1" if len(blob) == _SHA1 else "sha256")


def default(folder: Path, files: Iterable[Path]) -> Branch | None:
    """The default branch of the repository in which the folder is, with what it has of these files; None where there is no repository,
    or none of the branches that are looked for: what the CI job names, the remote's HEAD, main, master."""
    names = [name for name in (os.environ.get(variable) for variable in _TARGETS) if name]
    wanted = [*(f"origin/{name}" for name in names), "origin/HEAD", "origin/main", "origin/master", "main", "master"]
    shown = _git(folder, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes/origin")
    known = {line.removeprefix("refs/heads/").removeprefix("refs/remotes/") for line in shown}
    name = next((one for one in wanted if one in known), None)
    return Branch(name, dict(_blobs(folder, name, files))) if name else None


def _blobs(folder: Path, name: str, files: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    top = next(iter(_git(folder, "rev-parse", "--show-toplevel")), None)
    if top is None:
        return
    root = Path(os.path.realpath(top))
    places = sorted({Path(os.path.realpath(file)).parent for file in files})
    below = [place.relative_to(root).as_posix() for place in places if place.is_relative_to(root)]
    for entry in _git(root, "ls-tree", "-r", "-z", name, "--", *below, separator="\0") if below else ():
        about, _, path = entry.partition("\t")
        yield root / path, about.split()[2]


def _git(folder: Path, *words: str, separator: str = "\n") -> list[str]:
    """What git says, by line; nothing where it cannot answer: it is not there, or this is no repository."""
    command = ["git", "-C", str(folder), "--no-optional-locks", *words]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # of a hook: another repository's
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=ours)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    return [line for line in done.stdout.split(separator) if line] if done.returncode == 0 else []


def _blob(file: Path, algorithm: str) -> str:
    """git's id of a file's content: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects."""
    try:
        data = file.read_bytes()
    except OSError:
        return ""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
