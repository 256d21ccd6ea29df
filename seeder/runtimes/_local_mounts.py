"""What a container would have mounted: volumes as folders of the run, configuration as files with the addresses of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seeder.definition.service import Mount
from seeder.errors import EnvironmentFailed
from seeder.machine.folder import copy_folder
from seeder.passed.run import Run
from seeder.runtimes._rewrite import Rewriter

_TEXT_BYTES = 1_000_000  # larger files are no configuration
_FOLDER_FILES = 500  # nor are larger folders


def mounted(service: str, mounts: Sequence[Mount], run: Run, addresses: Rewriter, *, isolate_binds: bool) -> Rewriter:
    """Make everything that is mounted into the service, below the run's folder, and answer a rewriter that also knows the paths.

    A bind is used where it is, unless it holds addresses that are others here (read-only binds; a copy is rewritten), or it
    is writable and `isolate_binds` asks for a copy. Raises EnvironmentFailed for a config or secret whose file is not there.
    """
    folder = run.folder / "mounts" / service
    places = {mount.target: _place(mount, folder, run, addresses, isolate_binds=isolate_binds) for mount in mounts}
    rewriter = replace(addresses, paths={target: str(path) for target, path in places.items()})
    for mount in mounts:
        _make(service, mount, places[mount.target], rewriter)
    return rewriter


def in_place(mount: Mount, addresses: Rewriter) -> bool:
    """Whether a read-only bind can be used where it is."""
    return not any(addresses.document(text) != text for _, text in _texts(Path(mount.source or "")))


def _place(mount: Mount, folder: Path, run: Run, addresses: Rewriter, *, isolate_binds: bool) -> Path:
    if mount.kind == "volume" and mount.source:
        return run.folder / "volumes" / mount.source  # services that share a volume share the folder
    if mount.kind == "bind" and mount.source and (in_place(mount, addresses) if mount.read_only else not isolate_binds):
        return Path(mount.source)
    return folder / mount.target.lstrip("/")


def _make(service: str, mount: Mount, path: Path, rewriter: Rewriter) -> None:
    if mount.content is not None:
        _write(path, rewriter.document(mount.content))
    elif mount.kind in {"volume", "tmpfs"} or mount.source is None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif (source := Path(mount.source)) != path:
        _copy(service, mount, source, path, rewriter)


def _copy(service: str, mount: Mount, source: Path, path: Path, rewriter: Rewriter) -> None:
    if not source.exists():
        raise EnvironmentFailed(service, f"{source} is to be mounted at {mount.target} and is not there", "make it, or correct the path")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if source.is_dir():
        copy_folder(source, path)
    else:
        shutil.copy2(source, path)
    for file, text in list(_texts(path)):
        if (changed := rewriter.document(text)) != text:
            _write(file, changed)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _texts(path: Path) -> Iterator[tuple[Path, str]]:
    """The file, or the folder's files, as far as they can be configuration: small, text, not too many."""
    files = [path] if path.is_file() else _few(path)
    for file in files:
        if file.is_file() and file.stat().st_size <= _TEXT_BYTES:
            try:
                yield file, file.read_text(encoding="utf-8")
            except (UnicodeDecodeError, PermissionError):
                continue


def _few(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.rglob("*"):
        if len(found) == _FOLDER_FILES:
            return []  # source code or data; used as it is
        found.append(path)
    return sorted(found)
