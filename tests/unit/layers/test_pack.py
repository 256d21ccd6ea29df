"""Packs: the same bytes whoever makes them, and nothing of one ever lies outside of where it is unpacked."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from seeder.errors import EnvironmentFailed
from seeder.machine import pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that may be in one."""
    made = tmp_path / "state"
    (made / "cluster" / "empty").mkdir(parents=True)
    (made / "cluster").chmod(0o700)
    (made / "cluster" / "PG_VERSION").write_text("17\n")
    (made / "cluster" / "PG_VERSION").chmod(0o600)
    (made / "cluster" / "link").symlink_to("PG_VERSION")
    (made / "cluster" / "Zürich").write_bytes(bytes(range(256)) * 1000)
    os.link(made / "cluster" / "PG_VERSION", made / "cluster" / "again")
    for path in made.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
    return made


def listed(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for path in (folder, *folder.rglob("*")):
        content = path.readlink().as_posix().encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        status = path.lstat()
        found[path.relative_to(folder).as_posix()] = (status.st_mode, status.st_uid, content)
    return found


def test_what_is_packed_comes_out_as_it_was(folder, tmp_path):
    pack.of_folder(folder, tmp_path / "pack")
    pack.into_folder(tmp_path / "pack", tmp_path / "out")
    assert listed(tmp_path / "out") == listed(folder)
    assert int((tmp_path / "out/cluster/PG_VERSION").stat().st_mtime) == 1_600_000_000


def test_the_same_folder_makes_the_same_pack(folder, tmp_path):
    pack.of_folder(folder, tmp_path / "one")
    os.utime(folder / "cluster/PG_VERSION", (1_600_000_000.5, 1_600_000_000.5))
    pack.of_folder(folder, tmp_path / "two")
    assert pack.seal(tmp_path / "one") == pack.seal(tmp_path / "two")


def test_of_files_alone_only_their_content_counts(folder, tmp_path):
    pack.of_files(folder, ["cluster/PG_VERSION"], tmp_path / "one")
    os.utime(folder / "cluster/PG_VERSION", (1, 1))
    (folder / "cluster/PG_VERSION").chmod(0o664)
    pack.of_files(folder, ["cluster/PG_VERSION"], tmp_path / "two")
    assert pack.seal(tmp_path / "one") == pack.seal(tmp_path / "two")


def test_a_folder_of_an_archive_is_packed_as_the_folder_itself(folder, tmp_path):
    """What a container hands over and what lies in a folder are one form of bytes."""
    with tarfile.open(tmp_path / "archive", "w") as archive:
        archive.add(folder, "seeder")
    with (tmp_path / "archive").open("rb") as file:
        pack.of_archive(file, "seeder", tmp_path / "one")
    pack.of_folder(folder, tmp_path / "two")
    assert pack.seal(tmp_path / "one") == pack.seal(tmp_path / "two")
    with (tmp_path / "back").open("w+b") as file:
        pack.into_archive(tmp_path / "one", "var/lib/seeder", file)
    with tarfile.open(tmp_path / "back") as archive:
        assert "var/lib/seeder/cluster/PG_VERSION" in archive.getnames()
        assert all(name.startswith("var/lib/seeder") for name in archive.getnames())


def entry(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


EVIL = {
    "goes up": [entry("../out/evil")],
    "goes up later": [entry("a/../../evil")],
    "begins at the root": [entry("/tmp/evil")],
    "a link to the root": [entry("link", tarfile.SYMTYPE, "/etc/passwd")],
    "a link that goes up": [entry("a", tarfile.DIRTYPE), entry("a/link", tarfile.SYMTYPE, "../../evil")],
    "behind a link": [entry("link", tarfile.SYMTYPE, "."), entry("link/evil")],
    "instead of a link": [entry("link", tarfile.SYMTYPE, "evil"), entry("link")],
    "links that go up together": [
        entry("a", tarfile.DIRTYPE),
        entry("a/b", tarfile.DIRTYPE),
        entry("a/b/up", tarfile.SYMTYPE, "../.."),
        entry("evil", tarfile.SYMTYPE, "a/b/up/.."),
    ],
    "a hard link": [entry("link", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [entry("null", tarfile.CHRTYPE)],
    "a pipe": [entry("pipe", tarfile.FIFOTYPE)],
}


def packed(path: Path, entries: list[tarfile.TarInfo]) -> Path:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for info in entries:
            tar.addfile(info)
    path.write_bytes(zstandard.ZstdCompressor().compress(content.getvalue()))
    return path


@pytest.mark.parametrize("entries", EVIL.values(), ids=EVIL)
def test_what_leads_out_of_a_pack_is_refused(tmp_path, entries):
    path, inside = packed(tmp_path / "pack", entries), tmp_path / "a" / "inside"
    inside.mkdir(parents=True)
    with pytest.raises(EnvironmentFailed, match="the pack: "):
        pack.into_folder(path, inside)
    with pytest.raises(EnvironmentFailed, match="the pack: "), (tmp_path / "archive").open("wb") as file:
        pack.into_archive(path, "var/lib/seeder", file)
    assert not list(tmp_path.rglob("evil"))


def test_what_is_no_pack_is_told(tmp_path):
    (tmp_path / "pack").write_bytes(b"no pack at all")
    with pytest.raises(EnvironmentFailed, match="the pack: it cannot be read"):
        pack.into_folder(tmp_path / "pack", tmp_path / "out")


def test_half_a_pack_is_told(folder, tmp_path):
    pack.of_folder(folder, tmp_path / "pack")
    content = (tmp_path / "pack").read_bytes()
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    with pytest.raises(EnvironmentFailed, match="the pack: it cannot be read"):
        pack.into_folder(tmp_path / "half", tmp_path / "out")
