"""Mounts of a service, short and long, and paths."""

from __future__ import annotations

import os.path
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition import compose_keys as keys
from seeder.definition.marked import Map

if TYPE_CHECKING:
    from seeder.definition.form import Place

KINDS = ("bind", "volume", "tmpfs", "npipe", "cluster", "image")
_PATH = re.compile(r"[./~]|\\\\|[A-Za-z]:")  # how the source of a bind begins
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_PARTS = re.compile(r"(?:[A-Za-z]:(?=[\\/])[^:]*|[^:]+)")
_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")


def is_remote(context: str) -> bool:
    """Is a build context fetched from elsewhere?"""
    return "://" in context or context.startswith(_REMOTE)


def absolute(path: str, base: Path) -> Path:
    """The path from `base`, without `.` and `..`; `~` is the home folder."""
    return Path(os.path.normpath(base / os.path.expanduser(path)))  # noqa: PTH111  pathlib refuses an unknown ~user


def mount(value: Any, place: Place) -> Map | None:
    """The long form, with an absolute source for binds."""
    if isinstance(value, str):
        return _short(value, place)
    if isinstance(value, Map):
        return _long(value, place)
    place.needs("a volume")
    return None


def _short(text: str, place: Place) -> Map | None:
    parts = _PARTS.findall(text)
    if len(parts) > 3 or not parts or ":".join(parts) != text:  # noqa: PLR2004  source, target, options
        place.wrong(f"{text!r} is no volume", "write it as SOURCE:TARGET or SOURCE:TARGET:ro")
        return None
    source, target = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    options = parts[2].split(",") if len(parts) > 2 else []  # noqa: PLR2004
    bind = source is not None and _PATH.match(source) is not None
    items: dict[str, Any] = {"type": "bind" if bind else "volume", "target": posixpath.normpath(target), "read_only": "ro" in options}
    if source:
        items["source"] = _source(source, place) if bind else source
    return Map(place.mark, items, dict.fromkeys(items, place.mark))


def _long(value: Map, place: Place) -> Map | None:
    keys.check_keys(value, keys.VOLUME_MOUNT, place.path, place.problems)
    kind = value.get("type")
    if kind not in KINDS:
        place.wrong("a mount needs a type", f"one of {', '.join(KINDS)}")
        return None
    if not isinstance(value.get("target"), str):
        place.wrong("a mount needs a target", "add target: PATH")
        return None
    source = value.get("source")
    if kind == "bind" and not isinstance(source, str):
        place.wrong("a bind needs a source", "add source: PATH")
        return None
    result = Map(value.mark, value, value.marks)
    if kind == "bind":
        result["source"] = _source(str(source), place)
    result["read_only"] = str(value.get("read_only", False)).lower() in ("true", "yes", "y", "on")
    return result


def _source(source: str, place: Place) -> str:
    return source if _WINDOWS.match(source) else str(absolute(source, place.base))
