"""A Liquibase changelog with all that it includes, read without Liquibase: what cannot be told from files is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from seeder import fingerprint
from seeder.errors import DefinitionError, Mark
from seeder.frozen import frozen
from seeder.migrators.presets import _changelog_formats as formats
from seeder.migrators.presets._changelog_formats import Item
from seeder.migrators.presets._preset import digest, refuse

_INCLUDES: Final = ("include", "includeAll", "modifyChangeSets")
_NEEDS: Final = {"sqlFile": "path", "loadData": "file", "loadUpdateData": "file"}  # changes whose content is a file of its own
_NAMING: Final = ("path", "file", "valueClobFile", "valueBlobFile")
_DECIDING: Final = ("context", "contextFilter", "labels", "dbms")


@frozen
class Entry:
    """One changeset. `content`: digest of what it does, its own files included; `path`: the one it is known by, where that is written
    out; `order`: `first` and `last` where it says so."""

    id: str
    author: str
    file: Path
    line: int
    summary: str
    content: str
    path: str = ""
    order: str = ""
    always: bool = False
    optional: bool = False


@frozen
class Changelog:
    """`files`: all that were read for it; `shared`: what is written beside the changesets and concerns them all."""

    entries: tuple[Entry, ...]
    files: frozenset[Path]
    shared: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path, root: Path) -> Changelog:
    """`root` is the folder of the project: below it files are looked for. Raises DefinitionError naming file and line."""
    reading = _Reading(root)
    reading.read(path, ())
    return Changelog(tuple(reading.entries), frozenset(reading.files), reading.shared)


class _Reading:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.entries: list[Entry] = []
        self.files: set[Path] = set()
        self.shared: dict[str, Any] = {}
        self._open: list[Path] = []

    def read(self, path: Path, above: tuple[Mapping[str, Any], ...]) -> None:
        """`above`: what the includes say that led here."""
        found = formats.items(path)
        if found is None:
            raise DefinitionError(path.name, "this is no changelog of Liquibase", "correct what includes it", Mark(path, 1))
        if path in self._open:
            raise DefinitionError(path.name, "it includes itself, by way of others", "remove one include", Mark(path, 1))
        self._open.append(path)
        self.files.add(path)
        logical = str(found.given.get("logicalFilePath") or "")
        told = {name: value for name, value in found.given.items() if name != "logicalFilePath"}
        for item in found.inside:
            self._take(item, path, logical, (*above, told) if told else above)
        self._open.pop()

    def _take(self, item: Item, path: Path, logical: str, above: tuple[Mapping[str, Any], ...]) -> None:
        mark = Mark(path, item.line)
        if item.kind == "changeSet":
            self._take_changeset(item, path, logical, above)
        elif item.kind in _INCLUDES:
            if _true(item.given.get("ignore")):
                return
            told = {name: value for name, value in item.given.items() if name not in ("file", "path", "relativeToChangelogFile")}
            for file in self._included(item, path, mark):
                self.read(file, (*above, told) if told else above)
            for inner in item.inside:
                self._take(inner, path, logical, (*above, told))
        else:
            place = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else path.name
            self.shared.setdefault(place, []).append([item.kind, item.told, *self._claim(item, path, mark)])

    def _take_changeset(self, item: Item, path: Path, logical: str, above: tuple[Mapping[str, Any], ...]) -> None:
        mark, given = Mark(path, item.line), item.given
        id_, author = (str(given.get(name) or "") for name in ("id", "author"))
        if not id_ or not author:
            raise DefinitionError("changeSet", "it needs an id and an author", "add them", mark)
        if "${" in id_ + author:
            refuse("liquibase", f"changeset {id_}", "what its name is is decided when Liquibase runs", mark)
        if _true(given.get("ignore")):
            return
        order = str(given.get("runOrder") or "")
        if order not in ("", "first", "last"):
            raise DefinitionError(f"changeset {id_}", f"runOrder is first or last, not {order}", "correct it", mark)
        claimed = self._claim(item, path, mark)
        optional = any(each.get(name) for each in (given, *above) for name in _DECIDING) or "preConditions" in item.names
        content = digest(json.dumps([item.told, list(above)], sort_keys=True, default=str), *claimed)
        own = str(given.get("logicalFilePath") or "") or logical
        always = _true(given.get("runAlways"))
        self.entries.append(Entry(id_, author, path, item.line, str(given.get("comment") or ""), content, own, order, always, optional))

    def _claim(self, item: Item, path: Path, mark: Mark) -> list[str]:
        """Digests of the files that it names."""
        found = []
        for kind, given in item.mappings():
            for name in _NAMING:
                value = given.get(name)
                if isinstance(value, str) and (file := self._find(value, path, relative=_true(given.get("relativeToChangelogFile")))):
                    self.files.add(file)
                    found.append(fingerprint.content(file))
                elif isinstance(value, str) and _NEEDS.get(kind) == name:
                    refuse("liquibase", kind, f"there is no file {value} below {self._root}", mark)
        return found

    def _included(self, item: Item, path: Path, mark: Mark) -> Iterator[Path]:
        wanted = item.given.get("path" if item.kind == "includeAll" else "file")
        if item.kind == "modifyChangeSets":
            return
        if not isinstance(wanted, str) or "${" in wanted:
            refuse("liquibase", item.kind, "what it includes is decided when Liquibase runs", mark)
        if item.given.get("filter") or item.given.get("resourceFilter") or item.given.get("resourceComparator"):
            refuse("liquibase", item.kind, "a class decides what it includes", mark)
        found = self._find(wanted, path, relative=_true(item.given.get("relativeToChangelogFile")), folder=item.kind == "includeAll")
        missing = item.given.get("errorIfMissingOrEmpty" if item.kind == "includeAll" else "errorIfMissing")
        if found and item.kind == "include":
            yield found
        elif found:
            yield from _every(found, item, mark)
        elif missing is None or _true(missing):
            what = "folder" if item.kind == "includeAll" else "file"
            raise DefinitionError(item.kind, f"there is no {what} {wanted} below {self._root}", "correct it", mark)

    def _find(self, wanted: str, path: Path, *, relative: bool, folder: bool = False) -> Path | None:
        """Beside the changelog, else from a place where Liquibase may look: any folder above the changelog, the nearest first."""
        name = wanted.removeprefix("classpath:").lstrip("/").replace("\\", "/")
        above = [each for each in path.parents if each.is_relative_to(self._root)]
        for each in [path.parent] if relative else above:
            found = Path(os.path.normpath(each / name))
            if found.is_relative_to(self._root) and (found.is_dir() if folder else found.is_file()):
                return found
        return None


def _every(folder: Path, item: Item, mark: Mark) -> Iterator[Path]:
    """Files of an includeAll: by their whole path; what is no changelog is passed over."""
    try:
        least, most = int(item.given.get("minDepth") or 1), int(item.given.get("maxDepth") or 1 << 31)
    except ValueError:
        raise DefinitionError(item.kind, "minDepth and maxDepth are whole numbers", "correct them", mark) from None
    ending = str(item.given.get("endsWithFilter") or "")
    for file in sorted(folder.rglob("*"), key=lambda path: path.as_posix()):
        depth = len(file.relative_to(folder).parts)
        if file.is_file() and least <= depth <= most and file.name.lower().endswith(ending.lower()) and formats.items(file) is not None:
            yield file


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
