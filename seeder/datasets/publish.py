"""Datasets to a remote and back: a version is published once, and is then what it is for everybody."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from seeder import fingerprint
from seeder.definition import checksums
from seeder.definition.dataset import Dataset
from seeder.errors import DefinitionError, EnvironmentFailed, Problem
from seeder.frozen import frozen
from seeder.machine import pack
from seeder.protocols import Remote

FORMAT, KIND = 1, "dataset"
State = Literal["moved", "there"]


@frozen
class Published:
    label: str
    state: State
    length: int = 0


def publish(remote: Remote, dataset: Dataset) -> Published:
    """Raises DefinitionError when its files are not as its SHA256SUMS says, or when the version is published with other content."""
    _locked(dataset)
    content = _content(dataset.path)
    there = remote.told(_name(dataset))
    if there is not None:
        if there.get("content") == content:
            return Published(dataset.label, "there")
        remedy = "give it another version in the manifest; what is published stays what it is"
        raise DefinitionError(dataset.label, "is published with other content", remedy, dataset.mark)
    with _beside(dataset.path) as bench:
        path = bench / "pack"
        pack.of_files(dataset.path, _files(dataset.path), path)
        seal = pack.seal(path)
        about = {"format": FORMAT, "kind": KIND, "name": dataset.name, "version": dataset.version, "content": content}
        remote.put(_name(dataset), path, {**about, "sha256": seal.sha256, "length": seal.length})
    return Published(dataset.label, "moved", seal.length)


def pull(remote: Remote, dataset: Dataset, *, force: bool = False) -> Published:
    """Into the folder that the manifest names. Raises EnvironmentFailed when it cannot be had as it was published, DefinitionError when
    the folder holds something else, unless `force` says that this may go."""
    told = remote.told(_name(dataset))
    if told is None or told.get("kind") != KIND:
        raise EnvironmentFailed(dataset.label, "is not published there", f"publish it: seeder dataset publish REMOTE {dataset.label}")
    if dataset.path.is_dir() and _files(dataset.path):
        if _content(dataset.path) == told.get("content"):
            return Published(dataset.label, "there")
        if not force:
            cause = f"its folder {dataset.path} holds other content than what is published"
            raise DefinitionError(dataset.label, cause, "give yours another version, or replace it: --force", dataset.mark)
    with _beside(dataset.path) as bench:
        length = _fetch(remote, dataset, told, bench)
        _put(bench / "content", dataset.path, bench / "former")
    return Published(dataset.label, "moved", length)


def _locked(dataset: Dataset) -> None:
    problems = checksums.verify(dataset)
    if not checksums.is_locked(dataset):
        problems.append(Problem(dataset.label, f"has no {checksums.NAME}", f"seeder dataset lock {dataset.name}", dataset.mark))
    if problems:
        raise DefinitionError.of(problems)


def _fetch(remote: Remote, dataset: Dataset, told: Mapping[str, Any], bench: Path) -> int:
    """Unpack what is published below `bench`; the length of its pack."""
    path, remedy = bench / "pack", "the remote has lost it: publish the version again where it is good, once its remains are removed there"
    if not remote.get(_name(dataset), str(told.get("sha256")), path):
        raise EnvironmentFailed(dataset.label, "half of it is missing there: its pack", remedy)
    seal = pack.seal(path)
    if (seal.sha256, seal.length) != (told.get("sha256"), told.get("length")):
        raise EnvironmentFailed(dataset.label, f"its pack is not what was published: {seal.length} bytes of {told.get('length')}", remedy)
    pack.into_folder(path, bench / "content")
    if _content(bench / "content") != told.get("content"):
        raise EnvironmentFailed(dataset.label, "its files are not what was published", remedy)
    return seal.length


def _put(made: Path, place: Path, former: Path) -> None:
    """Let the folder `made` take the place of what is there. Hidden files are nobody's data, and stay."""
    if place.is_dir():
        place.rename(former)
        for hidden in former.glob(".*"):
            hidden.rename(made / hidden.name)
    made.rename(place)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder beside it, so that what is made there needs but a rename."""
    bench = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    bench.mkdir(parents=True)
    try:
        yield bench
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    """All that is published of a dataset: its data, its SHA256SUMS and what is written about it; nothing that is hidden."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def _content(folder: Path) -> str:
    return fingerprint.tree(folder, _files(folder))


def _name(dataset: Dataset) -> str:
    return f"{dataset.name}/{dataset.version}"
