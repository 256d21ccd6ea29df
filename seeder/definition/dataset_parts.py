"""Which part of a stack each file of a dataset is for, as its path says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from seeder.definition.dataset import TABLES, Dataset, Part, PartKind
from seeder.definition.stack import Stack
from seeder.errors import Collector, Mark, nearest


def fits(dataset: Dataset, stack: Stack) -> bool:
    """Does every file name a store or service of the stack, absent ones included?"""
    return all(_store_of(path, stack) or path.parts[0] in _known(stack) for path in dataset.files)


def left_out(dataset: Dataset, stack: Stack) -> tuple[str, ...]:
    """Services that the dataset has files for and that are not part of this run."""
    return tuple(sorted({path.parts[0] for path in dataset.files if _is_absent(path, stack)}))


def parts(dataset: Dataset, stack: Stack, accepts: Mapping[str, Collection[PartKind]]) -> tuple[Part, ...]:
    """What each file of the dataset is on this stack, in the order of the paths; files of absent services are left out.

    `accepts`: what each engine takes. Raises DefinitionError with every file that names neither store nor service, has an
    ending that nobody reads, or gives a table a second time.
    """
    problems, found = Collector(), []
    for path in dataset.files:
        if not _is_absent(path, stack):
            part = _part(dataset, path, stack, accepts, problems)
            found += [part] if part else []
    _refuse_twins(found, problems)
    problems.raise_if_any()
    return tuple(found)


def _known(stack: Stack) -> set[str]:
    return {*stack.services, *stack.absent}


def _is_absent(path: PurePosixPath, stack: Stack) -> bool:
    return path.parts[0] in stack.absent and path.parts[0] not in stack.services


def _store_of(path: PurePosixPath, stack: Stack) -> str | None:
    """The store with the longest name among the folders that lead to the file."""
    folders = ["/".join(path.parts[:depth]) for depth in range(len(path.parts) - 1, 0, -1)]
    return next((folder for folder in folders if folder in stack.stores), None)


def _part(
    dataset: Dataset, path: PurePosixPath, stack: Stack, accepts: Mapping[str, Collection[PartKind]], problems: Collector
) -> Part | None:
    place, file = Mark(dataset.path / path, 1), dataset.path / path
    if len(path.parts) == 1:
        cause = "a file of a dataset stands in the folder of a store or service, this one stands beside them"
        problems.add(path.name, cause, f"move it into one of {', '.join(sorted({*stack.stores, *stack.clients}))}", place)
        return None
    first = path.parts[0]
    if len(path.parts) > 2 and path.parts[1] == "files" and first in stack.services:  # noqa: PLR2004 - SERVICE/files/PATH
        return Part("files", first, "/" + "/".join(path.parts[2:]), file, path.suffix[1:])
    store = _store_of(path, stack)
    if store:
        takes = accepts.get(stack.stores[store].engine)
        return None if takes is None else _of_store(store, path, file, takes, problems)  # an engine that nobody knows is refused for itself
    if first in stack.services:
        return _of_service(first, path, file, stack, problems)
    cause = f"stack {stack.name} has neither a store nor a service {first}"
    problems.add(str(path), cause, nearest(first, sorted({*stack.stores, *stack.services})), place)
    return None


def _of_store(store: str, path: PurePosixPath, file: Path, takes: Collection[PartKind], problems: Collector) -> Part | None:
    ending, name = path.suffix[1:], path.name.removesuffix(path.suffix)
    inside = path.relative_to(store)
    if "mappings" in takes and len(inside.parts) > 1 and _is_mapping(inside):
        return Part("mappings", store, str(inside), file, ending)
    if str(path.parent) != store:
        problems.add(str(path), f"files of store {store} stand directly in its folder", f"move it to {store}/{path.name}", Mark(file, 1))
        return None
    kind = next((kind for kind in _FORMS if kind in takes and _is_kind(kind, path)), None)
    if kind is None:
        known = ", ".join(form for kind, form in _FORMS.items() if kind in takes)
        problems.add(str(path), f"store {store} takes no such file", f"known: {known}" if known else "remove it", Mark(file, 1))
        return None
    if kind == "table" and not _is_table(name):
        problems.add(str(path), f"{name!r} is not the name of a table", "name the file TABLE or SCHEMA.TABLE", Mark(file, 1))
        return None
    return Part(kind, store, name, file, ending)


_FORMS: Final[Mapping[PartKind, str]] = {
    "table": "TABLE.csv, TABLE.jsonl, TABLE.yaml, TABLE.parquet",
    "sql": "NNN-NAME.sql",
    "keys": "keys.jsonl",
    "messages": "STREAM.jsonl",
    "mappings": "mappings/NAME.json, __files/NAME",
}


def _is_mapping(inside: PurePosixPath) -> bool:
    """Of a stub: a file of mappings, or a body that one names."""
    return inside.parts[0] == "__files" or (inside.parts[0] == "mappings" and inside.suffix == ".json")


def _is_kind(kind: PartKind, path: PurePosixPath) -> bool:
    ending = path.suffix[1:]
    if kind == "table":
        return ending in TABLES
    if kind == "sql":
        return ending == "sql"
    if kind == "keys":
        return path.name == "keys.jsonl"
    return kind == "messages" and ending == "jsonl"


def _is_table(name: str) -> bool:
    pieces = name.split(".")
    return len(pieces) <= 2 and all(pieces)  # noqa: PLR2004 - TABLE or SCHEMA.TABLE


def _of_service(service: str, path: PurePosixPath, file: Path, stack: Stack, problems: Collector) -> Part | None:
    if len(path.parts) == 2 and path.suffix == ".http":  # noqa: PLR2004 - SERVICE/NAME.http
        return Part("http", service, path.stem, file, "http")
    if path.parts[1:] == ("environment.yaml",):
        return Part("environment", service, "environment", file, "yaml")
    held = [store.name for store in stack.stores_of(service)]
    if held:
        problems.add(str(path), f"{service} holds several stores", f"move it into one of {', '.join(held)}", Mark(file, 1))
    else:
        remedy = "known: replay.http, environment.yaml, files/PATH"
        problems.add(str(path), f"service {service} takes no such file", remedy, Mark(file, 1))
    return None


def _refuse_twins(found: list[Part], problems: Collector) -> None:
    tables: dict[tuple[str, str], Part] = {}
    for part in found:
        first = tables.setdefault((part.owner, part.name), part) if part.kind == "table" else part
        if first is not part:
            cause = f"table {part.name} of {part.owner} is given twice, here and in {first.path.name}"
            problems.add(part.path.name, cause, "keep one of the files", Mark(part.path, 1))
