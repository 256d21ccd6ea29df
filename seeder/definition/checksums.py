"""SHA256SUMS of a dataset folder, in the form that `sha256sum -c` reads, and files that are pointers to their content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from seeder.definition.dataset import Dataset
from seeder.errors import Mark, Problem

NAME: Final = "SHA256SUMS"
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_LFS = re.compile(rb"version https://\S+/spec/v1\n(?:[a-z0-9.-]+ .*\n)*oid sha256:[0-9a-f]{64}\nsize \d+\n")
_POINTER_SIZE: Final = 1024


def lock(dataset: Dataset) -> Path:
    """Write the dataset's SHA256SUMS, replacing the one that is there, and answer its path."""
    lines = [_line(path, _digest(dataset.path / path)) for path in dataset.files]
    target = dataset.path / NAME
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=dataset.path, prefix=f".{NAME}.", delete=False) as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        Path(file.name).chmod(0o644)
        os.replace(file.name, target)  # noqa: PTH105 - whole or not at all
    return target


def verify(dataset: Dataset) -> list[Problem]:
    """Every file that changed, is missing or is not listed, and every pointer that was not fetched. Nothing is said of a dataset
    without SHA256SUMS beyond its pointers."""
    pointers = list(unfetched(dataset))
    named = {problem.subject for problem in pointers}
    return pointers + [problem for problem in _differences(dataset) if problem.subject not in named]


def is_locked(dataset: Dataset) -> bool:
    return (dataset.path / NAME).is_file()


def unfetched(dataset: Dataset) -> Iterator[Problem]:
    """Pointer files of Git LFS and DVC whose content is not there, and symbolic links that lead nowhere."""
    for path in dataset.files:
        place, file = Mark(dataset.path / path, 1), dataset.path / path
        if not file.exists():
            remedy = "fetch what it points to (git annex get, dvc pull)"
            yield Problem(_shown(dataset, path), "is a symbolic link that leads nowhere", remedy, place)
        elif _is_lfs(file):
            yield Problem(_shown(dataset, path), "is a pointer of Git LFS, its content was not fetched", "git lfs pull", place)
    for file in sorted(dataset.path.rglob("*.dvc")):
        content = file.with_suffix("")
        if file.is_file() and not content.exists():
            cause = f"is a pointer of DVC, and {content.name} was not fetched"
            yield Problem(_shown(dataset, PurePosixPath(file.relative_to(dataset.path).as_posix())), cause, "dvc pull", Mark(file, 1))


def _differences(dataset: Dataset) -> Iterator[Problem]:
    if not is_locked(dataset):
        return
    sums, again = dataset.path / NAME, f"if this is meant: seeder dataset lock {dataset.name}"
    listed: set[PurePosixPath] = set()
    for number, line in enumerate(sums.read_text("utf-8", "replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            yield Problem(f"{dataset.label} {NAME}", "this line is not `<sha256>  <file>`", again, Mark(sums, number))
            continue
        path = PurePosixPath(_unescaped(match[3]) if match[1] else match[3])
        listed.add(path)
        if cause := _difference(dataset.path / path, match[2]):
            yield Problem(_shown(dataset, path), cause, again, Mark(sums, number))
    for path in dataset.files:
        if path not in listed:
            yield Problem(_shown(dataset, path), f"is not listed in {NAME}", again, Mark(dataset.path / path, 1))


def _difference(file: Path, digest: str) -> str | None:
    if not file.is_file():
        return f"is listed in {NAME} and missing"
    return None if _digest(file) == digest else f"differs from its digest in {NAME}"


def _shown(dataset: Dataset, path: PurePosixPath) -> str:
    return f"{dataset.label} {path}"


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _is_lfs(file: Path) -> bool:
    if file.stat().st_size > _POINTER_SIZE:
        return False
    return _LFS.fullmatch(file.read_bytes()) is not None


def _line(path: PurePosixPath, digest: str) -> str:
    name = str(path)
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return f"{mark}{digest}  {escaped}"


def _unescaped(name: str) -> str:
    return re.sub(r"\\([\\nr])", lambda match: {"\\": "\\", "n": "\n", "r": "\r"}[match[1]], name)
