"""A saved store: an index that says what is there, and the files that it names, beside it and as they were written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen

INDEX = "store.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z]+")
_BLOCK = 1 << 20
_REMEDY = "take it from where it was saved"


@frozen
class Form:
    """How an engine saves a store, and the number of that way: what was saved in another one is refused."""

    engine: str
    number: int

    def write(self, folder: Path, content: Mapping[str, Any]) -> None:
        """The index, as the last file: without it nothing is saved."""
        index = {"engine": self.engine, "format": self.number, **content}
        (folder / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def read(self, folder: Path, *needs: str) -> dict[str, Any]:
        """The index, which has all that is needed. Raises EnvironmentFailed when there is none, or not of this form."""
        try:
            index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            engine, number = index["engine"], index["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unlike(folder, str(error)) from error
        if (engine, number) != (self.engine, self.number):
            raise EnvironmentFailed(str(folder), f"it was saved by {engine} in format {number}", "use the seeder that saved it")
        if missing := [name for name in needs if name not in index]:
            raise self._unlike(folder, f"its index has no {', '.join(missing)}")
        return index

    def _unlike(self, folder: Path, why: str) -> EnvironmentFailed:
        return EnvironmentFailed(str(folder), f"this is no saved {self.engine} store: {why}", _REMEDY)


class Lines:
    """One file of a store, while it is written."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._found = hashlib.sha256()
        self.count = 0

    def write(self, line: bytes | bytearray | memoryview) -> None:
        self._file.write(line)
        self._found.update(line)
        self.count += 1

    @property
    def entry(self) -> dict[str, Any]:
        """What the index says of the file."""
        return {"file": self._path.name, "sha256": self._found.hexdigest()}


@contextmanager
def writing(path: Path) -> Iterator[Lines]:
    with path.open("wb") as file:
        yield Lines(path, file)


def entry(path: Path) -> dict[str, Any]:
    """What the index says of a file that another program wrote."""
    return {"file": path.name, "sha256": _digest(path)}


def file(folder: Path, entry: Mapping[str, Any]) -> Path:
    """The file of an entry. Raises EnvironmentFailed for a name that leads elsewhere, a link, and a file that is missing or was changed."""
    name = entry.get("file")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise EnvironmentFailed(str(folder), f"its index names {name!r}, which is no file of a saved store", _REMEDY)
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise EnvironmentFailed(str(path), "the file is missing", _REMEDY)
    if _digest(path) != entry.get("sha256"):
        raise EnvironmentFailed(str(path), "the file was changed since it was saved", _REMEDY)
    return path


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
