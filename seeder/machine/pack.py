"""Packs: a folder as one file, `.tar.zst`, in the same bytes whoever makes it; unpacked below the folder that is meant and nowhere else."""

from __future__ import annotations

import copy
import hashlib
import os
import posixpath
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from seeder.errors import EnvironmentFailed
from seeder.frozen import frozen
from seeder.machine.extra import needed

ENDING = ".tar.zst"
LEVEL = 3  # of zstandard: beyond it packs get little smaller and much slower to make
Entry = tuple[tarfile.TarInfo, IO[bytes] | None]


@frozen
class Seal:
    """By what a pack is known to be whole."""

    sha256: str
    length: int


def seal(pack: Path) -> Seal:
    with pack.open("rb") as file:
        return Seal(hashlib.file_digest(file, "sha256").hexdigest(), pack.stat().st_size)


def of_folder(folder: Path, pack: Path) -> None:
    """The folder and everything below it, with modes, owners and times of change."""
    _write(pack, _below(folder))


def of_files(folder: Path, files: Iterable[str], pack: Path) -> None:
    """These files and what is in them, nothing else: equal ones make equal packs, whoever has them."""
    _write(pack, _contents(folder, sorted(files)))


def of_archive(archive: IO[bytes], root: str, pack: Path) -> None:
    """The folder `root` of a tar."""
    with tarfile.open(fileobj=archive, mode="r:") as tar:
        _write(pack, _under(tar, root))


def into_folder(pack: Path, folder: Path) -> None:
    """Modes are kept, and owners where this user may give files away. Raises EnvironmentFailed when the pack cannot be read, or when
    something in it would lie elsewhere."""
    with _reading(pack) as tar:
        tar.extractall(folder, members=_let_in(tar), numeric_owner=True)  # noqa: S202  (what leads out is not let in)


def into_archive(pack: Path, root: str, archive: IO[bytes]) -> None:
    """Write a tar in which the pack's folder is `root`. Raises EnvironmentFailed as `into_folder` does."""
    with _reading(pack) as tar, tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as written:
        for info in _let_in(tar):
            content = tar.extractfile(info) if info.isreg() else None
            info.name = posixpath.normpath(f"{root}/{info.name}")
            written.addfile(info, content)


# -- writing ----------------------------------------------------------------------------------------------------------


def _write(pack: Path, entries: Iterable[Entry]) -> None:
    zstandard = needed("zstandard", "remote", "packs")
    with (
        pack.open("wb") as file,
        zstandard.ZstdCompressor(level=LEVEL).stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for info, content in entries:
            tar.addfile(_settled(info), content)


def _settled(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs from machine to machine: names of owners, parts of seconds, which files share their bytes."""
    settled = copy.copy(info)
    settled.uname = settled.gname = ""
    settled.mtime, settled.pax_headers = int(info.mtime), {}
    return settled


def _below(folder: Path) -> Iterator[Entry]:
    with tarfile.open(os.devnull, mode="w") as tar:  # nothing is written: it knows how to look at files
        for path in sorted((folder, *folder.rglob("*")), key=lambda path: path.parts):
            tar.inodes = {}  # type: ignore[attr-defined]  # a file of several names is packed under each
            info = tar.gettarinfo(str(path), path.relative_to(folder).as_posix())
            if info is not None and info.isreg():
                with path.open("rb") as content:
                    yield info, content
            elif info is not None:  # a socket is None
                yield info, None


def _contents(folder: Path, files: Iterable[str]) -> Iterator[Entry]:
    for name in files:
        info, found = tarfile.TarInfo(name), (folder / name).stat()
        info.size, info.mode = found.st_size, 0o755 if found.st_mode & 0o100 else 0o644
        with (folder / name).open("rb") as content:
            yield info, content


def _under(tar: tarfile.TarFile, root: str) -> Iterator[Entry]:
    members = {member.name.strip("/"): member for member in tar.getmembers()}
    inside = (name for name in members if name == root or name.startswith(f"{root}/"))
    for name in sorted(inside, key=lambda name: name.split("/")):
        info = copy.copy(members[name])
        info.name = posixpath.relpath(name, root)
        if info.islnk():
            info.type, info.size, info.linkname = tarfile.REGTYPE, members[info.linkname.strip("/")].size, ""
        yield info, tar.extractfile(members[name]) if info.isreg() else None


# -- reading ----------------------------------------------------------------------------------------------------------


@contextmanager
def _reading(pack: Path) -> Iterator[tarfile.TarFile]:
    zstandard = needed("zstandard", "remote", "packs")
    try:
        with (
            pack.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as content,
            tarfile.open(fileobj=content, mode="r|") as tar,
        ):
            tar.extraction_filter = lambda member, _place: member  # ours looks closer, and keeps modes and owners
            yield tar
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _bad(f"it cannot be read: {error}") from error


def _let_in(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Files, folders and links, none of which would lie outside of where it is unpacked, by its own name or through a link."""
    links: set[str] = set()
    for info in tar:
        if _leads_out(info.name):
            raise _bad(f"{info.name!r} would lie outside of it")
        info.name, info.mode = posixpath.normpath(info.name), info.mode & 0o777
        info.pax_headers = {}  # they have been read, and would take the place of the name where it is written again
        if links & {info.name, *map(str, PurePosixPath(info.name).parents)}:
            raise _bad(f"{info.name!r} lies behind a link")
        if not (info.isreg() or info.isdir() or info.issym()):
            raise _bad(f"{info.name!r} is neither file nor folder nor link")
        if info.issym():
            if _points_out(info):
                raise _bad(f"the link {info.name!r} leads out of it")
            links.add(info.name)
        yield info


def _leads_out(path: str) -> bool:
    return not path or posixpath.isabs(path) or posixpath.normpath(path).split("/")[0] == ".."


def _points_out(link: tarfile.TarInfo) -> bool:
    """Up is allowed at the beginning alone: behind a name that may be a link, nobody knows where up is."""
    words = [word for word in link.linkname.split("/") if word not in ("", ".")]
    down = [word for number, word in enumerate(words) if word != ".." or any(before != ".." for before in words[:number])]
    return ".." in down or _leads_out(posixpath.join(posixpath.dirname(link.name), link.linkname))


def _bad(cause: str) -> EnvironmentFailed:
    return EnvironmentFailed("the pack", cause, "have it made again where its content is")
