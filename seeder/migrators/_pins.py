"""Which versions of the libraries that migrate a store were asked for, read from the files in which projects write them down."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

# What decides the schema that a migration makes: the tool, the layer below it, and the driver.
LIBRARIES: Final = (
    "alembic", "asyncpg", "greenlet", "mysqlclient", "pg8000", "psycopg", "psycopg2", "psycopg2-binary", "pymysql", "sqlalchemy",
)  # fmt: skip
_REQUIREMENT: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
_PYTHON: Final = ("requirements*.txt", "requirements/*.txt", "constraints*.txt", "pyproject.toml", "*.lock")
_NODE: Final = ("package.json", "package-lock.json")


def declared(folders: Iterable[Path], libraries: Collection[str] | None = LIBRARIES) -> dict[str, list[str]]:
    """Library -> what files in the folders say of its version, sorted; those that nobody names are left out. None: of every package of
    Python."""
    found: dict[str, set[str]] = {}
    places = _PYTHON if libraries is None else _PYTHON + _NODE
    for path in sorted({path for folder in folders for place in places for path in folder.glob(place) if path.is_file()}):
        for name, version in _said(path):
            if libraries is None or name in libraries:
                found.setdefault(name, set()).add(version)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def installed() -> dict[str, list[str]]:
    """The same of the interpreter that runs seeder, whose packages a local process without an environment of its own uses."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = [importlib.metadata.version(name)]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _said(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".txt":
            yield from _requirements(text.splitlines())
        elif path.name == "pyproject.toml":
            yield from _project(tomllib.loads(text))
        elif path.name == "package.json":
            data = json.loads(text)
            for name, wanted in {**data.get("devDependencies", {}), **data.get("dependencies", {})}.items():
                yield name, str(wanted)
        elif path.name == "package-lock.json":
            for place, entry in json.loads(text).get("packages", {}).items():
                yield place.removeprefix("node_modules/"), str(entry.get("version"))
        elif path.name == "Pipfile.lock":
            yield from ((_name(name), str(entry.get("version"))) for name, entry in json.loads(text).get("default", {}).items())
        else:
            packages = tomllib.loads(text).get("package") or []
            yield from ((_name(str(one["name"])), str(one.get("version"))) for one in packages if isinstance(one, dict) and "name" in one)
    except (OSError, ValueError, AttributeError, TypeError):
        return  # a file of another tool; it says nothing of versions that could be read here


def _project(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    project = data.get("project") or {}
    extra = [project.get("optional-dependencies") or {}, data.get("dependency-groups") or {}]
    groups = [project.get("dependencies") or [], *(lines for group in extra for lines in group.values())]
    for group in groups:
        yield from _requirements(line for line in group if isinstance(line, str))
    for name, wanted in ((data.get("tool") or {}).get("poetry") or {}).get("dependencies", {}).items():
        yield _name(name), json.dumps(wanted, sort_keys=True)


def _requirements(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _REQUIREMENT.match(line.split("#")[0].split(" --")[0])
        if match:
            yield _name(match[1]), "".join(match[2].split())


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()
