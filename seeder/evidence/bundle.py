"""The portable snapshot of a whole environment: a folder whose every byte is accounted for in `bundle.json`."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed, Problem, SeederError
from seeder.frozen import frozen

INDEX = "bundle.json"
FORMAT = "1"
HALF_SECONDS = 24 * 3600.0  # longer than any bundle takes to be written


@frozen
class Bundle:
    """A bundle that was read; `index` is the content of bundle.json."""

    path: Path
    index: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.index["id"])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in _files(self.path))


def seal(folder: Path, index: Mapping[str, Any]) -> Bundle:
    """Write bundle.json last: what is said of the bundle, and the SHA-256 of every file beside it, its own content included.
    Its owner alone can read the whole of it."""
    whole = {"format": FORMAT, **index, "files": {_name(folder, file): _sha256(file) for file in _files(folder)}}
    whole["digest"] = _digest(whole)
    (folder / INDEX).write_text(_canonical(whole), encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return Bundle(folder, whole)


def read(folder: Path) -> Bundle:
    """Raises EnvironmentFailed when the folder is not a bundle or its index was changed."""
    path = folder / INDEX
    try:
        text = path.read_text(encoding="utf-8")
        index = json.loads(text)
    except FileNotFoundError:
        raise EnvironmentFailed(str(folder), "is not a bundle: it has no bundle.json", "`seeder snapshot ls` lists them") from None
    except (ValueError, UnicodeDecodeError, OSError) as error:
        raise EnvironmentFailed(str(path), f"cannot be read: {error}", "take the bundle again from where it was made") from None
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise EnvironmentFailed(str(path), "has a format that this version does not know", f"this one reads format {FORMAT}")
    stated = index.get("digest")
    if stated != _digest({k: v for k, v in index.items() if k != "digest"}) or text != _canonical(index):
        raise EnvironmentFailed(str(path), "was changed after the bundle was written", "take the bundle again from where it was made")
    if not _well_formed(index):
        raise EnvironmentFailed(str(path), "is not what a bundle's index looks like", "take the bundle again from where it was made")
    return Bundle(folder, index)


def _well_formed(index: Mapping[str, Any]) -> bool:
    files = index.get("files")
    return isinstance(index.get("id"), str) and isinstance(files, dict) and all(isinstance(digest, str) for digest in files.values())


def verify(folder: Path) -> Bundle:
    """Read and recompute every digest. Raises SeederError with every file that is changed, missing or foreign."""
    bundle = read(folder)
    problems = list(_differences(bundle))
    if problems:
        raise EnvironmentFailed.of(problems)
    return bundle


def _differences(bundle: Bundle) -> Iterator[Problem]:
    remedy = "take the bundle again from where it was made"
    stated: Mapping[str, str] = bundle.index["files"]
    present = {_name(bundle.path, file): file for file in _files(bundle.path)}
    for name in sorted({*stated, *present}):
        if name not in present:
            yield Problem(f"{bundle.path}/{name}", "is missing from the bundle", remedy)
        elif name not in stated:
            yield Problem(f"{bundle.path}/{name}", "is not part of the bundle", "remove it")
        elif _sha256(present[name]) != stated[name]:
            yield Problem(f"{bundle.path}/{name}", "was changed after the bundle was written", remedy)


def list_all(folder: Path) -> list[Bundle | SeederError]:
    """Every bundle below the folder, oldest first; what cannot be read is an error in its place."""
    found: list[tuple[float, Bundle | SeederError]] = []
    for path in sorted(folder.glob(f"*/{INDEX}")):
        try:
            found.append((path.stat().st_mtime, read(path.parent)))
        except SeederError as error:
            found.append((path.stat().st_mtime, error))
    return [bundle for _, bundle in sorted(found, key=lambda pair: pair[0])]


def old(folder: Path, keep: int, before: float | None) -> list[Path]:
    """Bundles below the folder, oldest first, but the `keep` newest and those that were sealed since `before` (seconds since 1970). One
    that is being written is no bundle yet, unless nobody has written to it for a day: who did was killed."""
    sealed = sorted(((path.stat().st_mtime, path.parent) for path in folder.glob(f"*/{INDEX}")), reverse=True)
    beyond = [one for taken, one in reversed(sealed[keep:]) if before is None or taken < before]
    return [*(one for one in sorted(folder.glob("*/")) if not (one / INDEX).exists() and _last(one) < time.time() - HALF_SECONDS), *beyond]


def _last(folder: Path) -> float:
    """When something in it was last written."""
    return max((path.lstat().st_mtime for path in (folder, *folder.rglob("*"))), default=0.0)


def remove(folder: Path) -> None:
    """It is no bundle any more before the first of its files goes."""
    (folder / INDEX).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if (path.is_file() or path.is_symlink()) and path != folder / INDEX)


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()


def _sha256(file: Path) -> str:
    if file.is_symlink():
        return "symbolic link"  # never written by us, so never equal to a digest
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(index: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(index).encode()).hexdigest()


def _canonical(index: Mapping[str, Any]) -> str:
    return json.dumps(index, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
