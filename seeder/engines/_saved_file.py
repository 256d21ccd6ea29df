"""Files of a saved store, as its index names them: beside the index, and as they were written."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from seeder.errors import EnvironmentFailed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z]+")
_BLOCK = 1 << 20
_REMEDY = "take it from where it was saved"


def file(folder: Path, name: object, sha256: object) -> Path:
    """Raises EnvironmentFailed for a name that leads elsewhere, a link, and a file that is missing or was changed."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise EnvironmentFailed(
            str(folder), f"its index names {name!r}, which is no file of a saved store", "take it from where it was saved"
        )
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise EnvironmentFailed(str(path), "the file is missing", _REMEDY)
    if digest(path) != sha256:
        raise EnvironmentFailed(str(path), "the file was changed since it was saved", _REMEDY)
    return path


def digest(path: Path) -> str:
    """SHA-256 (hex) of the file."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
