"""A folder or bucket that fsspec reaches: `<name>.tar.zst` is a pack, `<name>.json` what is told of it, written last."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import posixpath
import secrets
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seeder.errors import EnvironmentFailed, in_words
from seeder.machine.extra import needed
from seeder.machine.pack import ENDING

_TOLD, _DRAFT = ".json", ".part"
FINISHED = 3600.0  # seconds in which whoever puts a pack has put it, or died


class Places:
    """Everything that is no OCI registry: /shared/seeder, file://, s3://bucket/prefix, gs://."""

    def open(self, url: str) -> Files:
        shown = _shown(url)
        core, schemes = (needed(f"fsspec.{name}", "remote", shown) for name in ("core", "registry"))
        with _asking(shown), _package_of(schemes, url, shown):
            system, root = core.url_to_fs(url)
        local = "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,))
        return (Folder if local else Files)(shown, system, root)


class Files:
    def __init__(self, shown: str, system: Any, root: str) -> None:
        self.shown = shown
        self._system = system
        self._root = root.rstrip("/")

    def names(self) -> set[str]:
        with _asking(self.shown):
            try:
                self._system.invalidate_cache()
                found = self._system.ls(self._root, detail=False)
            except FileNotFoundError:
                return set()  # nobody has put anything there yet
        return {posixpath.basename(path).removesuffix(_TOLD) for path in found if path.endswith(_TOLD)}

    def told(self, name: str) -> Mapping[str, Any] | None:
        with _asking(self.shown):
            try:
                found = json.loads(self._system.cat_file(self._at(name, _TOLD)))
            except (FileNotFoundError, ValueError):  # half written is not written
                return None
        return found if isinstance(found, dict) else None

    def put(self, name: str, pack: Path, told: Mapping[str, Any]) -> None:
        text = json.dumps(dict(told), ensure_ascii=False, sort_keys=True) + "\n"
        with _asking(self.shown):
            self._system.makedirs(posixpath.dirname(self._at(name, _TOLD)), exist_ok=True)
            with self._whole(self._at(name, ENDING)) as place:
                self._system.put_file(str(pack), place)
            with self._whole(self._at(name, _TOLD)) as place:
                self._system.pipe_file(place, text.encode())

    def get(self, name: str, sha256: str, pack: Path) -> bool:
        del sha256  # what lies there is looked at by who reads it
        with _asking(self.shown):
            try:
                self._system.get_file(self._at(name, ENDING), str(pack))
            except FileNotFoundError:
                return False
        return True

    @contextmanager
    def _whole(self, path: str) -> Iterator[str]:
        """Where to write so that nobody reads half of it: buckets see to that themselves."""
        yield path

    def _at(self, name: str, ending: str) -> str:
        return f"{self._root}/{name}{ending}"


class Folder(Files):
    """One that nobody else keeps from growing, as rules do a bucket. The time of what is told of a pack is that of its last use."""

    def names(self) -> set[str]:
        if Path(self._root).is_file():
            raise EnvironmentFailed(self.shown, "it is a file, and a remote is a folder", "name the folder")
        return super().names()

    @contextmanager
    def _whole(self, path: str) -> Iterator[str]:
        """It is renamed at the end."""
        draft = f"{path}.{secrets.token_hex(4)}{_DRAFT}"
        try:
            yield draft
            self._system.mv(draft, path)
        finally:
            if self._system.exists(draft):
                self._system.rm_file(draft)

    def held(self) -> Mapping[str, datetime.datetime]:
        found: dict[str, datetime.datetime] = {}
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):  # another one removes
                seconds = Path(self._at(name, _TOLD)).stat().st_mtime
                found[name] = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return found

    def used(self, name: str) -> None:
        with contextlib.suppress(OSError):  # it may only be read, or is gone
            os.utime(self._at(name, _TOLD))

    def remove(self, name: str) -> None:
        with _asking(self.shown):
            for ending in (_TOLD, ENDING):
                Path(self._at(name, ending)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Packs of which nothing is told, and drafts."""
        told, before = self.names(), time.time() - FINISHED
        with _asking(self.shown):
            for path in [*Path(self._root).glob(f"*{ENDING}"), *Path(self._root).glob(f"*{_DRAFT}")]:
                with contextlib.suppress(FileNotFoundError):
                    if path.name.removesuffix(ENDING) not in told and path.stat().st_mtime < before:
                        path.unlink()


def _shown(url: str) -> str:
    """The address without what may be a password in it."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")) if "@" in parts.netloc else url


@contextmanager
def _package_of(schemes: Any, url: str, shown: str) -> Iterator[None]:
    """Which package a scheme needs is known to fsspec; it is the user's to install."""
    scheme = url.partition("://")[0] if "://" in url else "file"
    try:
        yield
    except ImportError as error:
        known = str(schemes.known_implementations.get(scheme, {}).get("class", "")).partition(".")[0]
        package = known if known not in ("", "fsspec") else (error.name or scheme)
        raise EnvironmentFailed(shown, f"{scheme}:// needs a package that is not installed: {package}", f"pip install {package}") from error
    except ValueError as error:
        remedy = "name a folder, oci://HOST/REPOSITORY, or a URL that fsspec knows, such as s3://bucket/prefix"
        raise EnvironmentFailed(shown, f"fsspec knows no scheme {scheme}://", remedy) from error


@contextmanager
def _asking(shown: str) -> Iterator[None]:
    """Turn what file systems raise into the error family; each has errors of its own kind."""
    try:
        yield
    except EnvironmentFailed:
        raise
    except PermissionError as error:
        raise EnvironmentFailed(shown, f"access is refused: {_said(error)}", "let this user read and write there") from error
    except Exception as error:
        remedy = "is it there, can it be reached, and does this user have the right to it?"
        raise EnvironmentFailed(shown, f"it does not answer: {_said(error)}", remedy) from error


def _said(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or in_words(error)
    return str(text).splitlines()[0]
