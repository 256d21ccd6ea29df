"""Where Alembic's revision files are, read from its ini file as Alembic reads it; no code of the user runs."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seeder.errors import DefinitionError, Mark

_SECTION: Final = "alembic"
_SEPARATORS: Final = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_FILE: Final = re.compile(r"(?!\.#|__init__).*\.py")


def revision_files(ini: Path, working: Path) -> list[Path]:
    """Every file that Alembic would take for a revision; relative places in the ini count from `working`, the folder in which
    Alembic runs. Raises DefinitionError when the ini or a folder that it names is missing."""
    options = _read(ini)
    folders = _folders(ini, options, working)
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing:
        remedy = "correct script_location or version_locations; relative ones count from the folder in which alembic runs"
        raise DefinitionError(ini.name, f"there is no folder {missing}", remedy, _mark(ini, "script_location"))
    recursive = options.get("recursive_version_locations") == "true"
    found = {path.resolve(): path for folder in folders for path in _python(folder, recursive=recursive)}
    return sorted(found.values())


def shared_files(ini: Path, working: Path) -> list[Path]:
    """What every revision shares: the files in the script's own folder (env.py and what stands beside it)."""
    options = _read(ini)
    search = [_below(working, path) for path in _split(ini, options, "prepend_sys_path", r", *|(?: +)|:")]
    folder = _place(options.get("script_location", "").strip(), working, search)
    return sorted(path for path in folder.glob("*.py") if path.is_file())


def _python(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py") if recursive else folder.glob("*.py")):
        if _FILE.fullmatch(path.name) and "__pycache__" not in path.parts:
            yield path


def _read(ini: Path) -> dict[str, str]:
    parser = configparser.ConfigParser({"here": str(ini.parent.absolute())})
    try:
        parser.read_string(ini.read_text(encoding="utf-8"), source=str(ini))
        if not parser.has_section(_SECTION):
            raise DefinitionError(ini.name, f"the file has no section [{_SECTION}]", "name Alembic's own ini file", Mark(ini, 1))
        return dict(parser.items(_SECTION))
    except OSError as error:
        raise DefinitionError(ini.name, f"{ini} cannot be read: {error.strerror}", "correct the path under `migrate`") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None) or 1
        raise DefinitionError(ini.name, f"this is not an ini file: {' '.join(str(error).split())}", mark=Mark(ini, line)) from error


def _folders(ini: Path, options: dict[str, str], working: Path) -> list[Path]:
    script = options.get("script_location", "").strip()
    if not script:
        raise DefinitionError(ini.name, "script_location is not set", "add `script_location = %(here)s/migrations`", Mark(ini, 1))
    search = [_below(working, path) for path in _split(ini, options, "prepend_sys_path", r", *|(?: +)|:")]
    locations = _split(ini, options, "version_locations", r", *|(?: +)")
    if locations:
        return [_place(location, working, search) for location in locations]
    return [_place(script, working, search) / "versions"]


def _split(ini: Path, options: dict[str, str], name: str, old: str) -> list[str]:
    text = options.get(name, "")
    separator = options.get("path_separator") or (options.get("version_path_separator") if name == "version_locations" else None)
    if separator is None:
        return [part for part in re.split(old, text.strip()) if part]
    if separator not in _SEPARATORS:
        cause = f"{separator!r} is no separator; known: {', '.join(_SEPARATORS)}"
        raise DefinitionError(ini.name, cause, "write `path_separator = os`", _mark(ini, "path_separator"))
    return [part.strip() for part in text.split(_SEPARATORS[separator]) if part.strip()]


def _place(location: str, working: Path, search: list[Path]) -> Path:
    """A folder, or `package:folder` of a package on the path."""
    package, colon, inside = location.partition(":")
    if not colon or Path(location).is_absolute():
        return _below(working, location)
    tail = Path(*package.split("."), inside)
    return next((base / tail for base in (*search, working) if (base / tail).is_dir()), working / tail)


def _below(working: Path, path: str) -> Path:
    return Path(os.path.normpath(working / path))


def _mark(ini: Path, option: str) -> Mark:
    lines = ini.read_text(encoding="utf-8").splitlines()
    return Mark(ini, next((number for number, line in enumerate(lines, 1) if line.startswith(option)), 1))
