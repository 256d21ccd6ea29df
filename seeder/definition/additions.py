"""Config data for services: extra environment variables and replaced files, read from a dataset's folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seeder.definition.dataset import Part
from seeder.definition.scalars import SEEDER
from seeder.definition.yaml import load
from seeder.errors import Collector


def environment(parts: Iterable[Part]) -> dict[str, str]:
    """Variables of all `environment.yaml` parts; later ones win. Raises DefinitionError: a value is a text, number or boolean."""
    result: dict[str, str] = {}
    problems = Collector()
    for part in parts:
        if part.kind != "environment":
            continue
        document = load(part.path, SEEDER)
        for name, value in document.data.items():
            mark = document.mark((name,))
            if not name or "=" in name:
                problems.add(repr(name), "is no name of a variable", "leave out the =", mark)
            elif value is None or isinstance(value, list | dict):
                problems.add(name, "is not a text, a number or a boolean", "write one value per variable", mark)
            else:
                result[name] = str(value).lower() if isinstance(value, bool) else str(value)
    problems.raise_if_any()
    return result


def files(parts: Iterable[Part]) -> dict[str, Path]:
    """Path inside the service -> the file that replaces it."""
    return {f"/{part.name.lstrip('/')}": part.path for part in parts if part.kind == "files"}
