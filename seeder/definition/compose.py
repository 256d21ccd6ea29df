"""The compose files of a stack, read as compose reads them, with what `x-seeder` adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seeder.definition import compose_resources
from seeder.definition.compose_check import check_model
from seeder.definition.compose_files import Files, Group
from seeder.definition.compose_service import LATER, Reader
from seeder.definition.extension import StackExtension
from seeder.definition.links import find_links
from seeder.definition.manifest import StackEntry
from seeder.definition.marked import Map
from seeder.definition.selection import select
from seeder.definition.service import Service
from seeder.definition.stack import Column, Reference, Stack, Store
from seeder.definition.stores import Engines, stores_of
from seeder.definition.validation import validated
from seeder.errors import Collector, Mark, Problem, nearest


def read_stack(
    entry: StackEntry,
    *,
    environment: Mapping[str, str],
    engines: Engines,
    profiles: Sequence[str] = (),
    only: Sequence[str] | None = None,
    unset: bool = False,
) -> Stack:
    """Read the stack as it would run: variables filled in from `environment` and `.env`, profiles applied, reduced to `only`
    and what those services need. What is left out stands in `Stack.absent` with the reason. `engines`: by which stores are told.
    `unset`: variables that the files need may be missing, and files of them, which is a hint then.

    Raises DefinitionError with every problem of every file; UsageError when `only` names no service of the stack.
    """
    files = Files(unset=unset)
    folder = entry.compose[0].absolute().parent
    group = _group(entry, files, folder, environment)
    model = files.model(group)
    if not files.whole:
        files.problems.raise_if_any()  # what else is amiss in the others may stand in the one that is not read
    services = _services(model, files, group)
    extension, aliases = _extension(model, files.problems), _aliases(model)
    _check_profiles(entry, profiles, services, files.problems)
    active = tuple(dict.fromkeys((*entry.profiles, *profiles))) or _default_profiles(group.variables)
    selection = select(services, active, only, engines, aliases, files.problems)
    stores = stores_of(selection.services.values(), engines)
    references = tuple(_references(extension, model, stores_of(services.values(), engines), files.problems))
    files.problems.raise_if_any()
    return Stack(
        name=entry.name,
        version=entry.version,
        project_dir=folder,
        files=group.files,
        services=selection.services,
        stores=stores,
        links=find_links(selection.services, engines, aliases),
        references=tuple(one for one in references if {one.source.store, one.target.store} <= stores.keys()),
        absent=selection.absent,
        unasked=stores_of(selection.unasked.values(), engines),
        x=extension,
        networks=compose_resources.networks(model, selection.services),
        volumes=compose_resources.volumes(model, selection.services),
        hints=tuple(files.hints),
        env_files=tuple(file for file in files.further if file not in group.files),
        written=model.get("x-seeder"),
    )


def service_names(entry: StackEntry, environment: Mapping[str, str]) -> frozenset[str]:
    """The services that the stack's files name, whatever else is wrong with them; none when one of the files cannot be read."""
    files = Files()
    model = files.model(_group(entry, files, entry.compose[0].absolute().parent, environment))
    return frozenset(model.get("services", {})) if files.whole else frozenset()


def _services(model: Map, files: Files, group: Group) -> dict[str, Service]:
    reader = Reader(model, files, group.variables, group.base)
    services = {name: reader.service(name) for name in model.get("services", {})}
    check_model(model, services, files.problems)
    return services


def _group(entry: StackEntry, files: Files, folder: Path, environment: Mapping[str, str]) -> Group:
    variables = files.variables(folder, (), environment)
    variables.setdefault("COMPOSE_PROJECT_NAME", project_name(folder))
    return Group(tuple(file.absolute() for file in entry.compose), folder, variables)


def project_name(folder: Path) -> str:
    """The name that compose gives a project in this folder."""
    return "".join(char for char in folder.name.lower() if char.isascii() and (char.isalnum() or char in "_-")).lstrip("_-")


def _default_profiles(variables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in variables.get("COMPOSE_PROFILES", "").split(",") if name.strip())


def _check_profiles(entry: StackEntry, asked: Sequence[str], services: Mapping[str, Service], problems: Collector) -> None:
    known = sorted({profile for service in services.values() for profile in service.profiles})
    for name in dict.fromkeys((*entry.profiles, *asked)):
        if name not in (*known, "*"):
            mark = entry.mark if name in entry.profiles else None
            problems.add(f"profile {name}", "no service has this profile", nearest(name, known), mark)


def _extension(model: Map, problems: Collector) -> StackExtension:
    if model.get("x-seeder") is None:
        return StackExtension()
    found = validated(StackExtension, model["x-seeder"], problems, subject="x-seeder", mark=model.at("x-seeder"), later=LATER)
    return found or StackExtension()


def _aliases(model: Map) -> dict[str, dict[str, str]]:
    """Names that one client alone uses for another service (`links: [db:database]`)."""
    pairs = {name: [link.partition(":") for link in raw.get("links", ())] for name, raw in model.get("services", {}).items()}
    return {name: {alias: server for server, _, alias in links if alias} for name, links in pairs.items() if links}


def _references(extension: StackExtension, model: Map, stores: Mapping[str, Store], problems: Collector) -> Iterator[Reference]:
    if not extension.references:
        return
    written: Any = model["x-seeder"]["references"]
    for index, text in enumerate(extension.references):
        mark = written.at(index)
        source, arrow, target = text.partition("->")
        if not arrow:
            problems.add("x-seeder.references", f"{text!r} is no reference", "write store.table.column -> store.table.column", mark)
            continue
        columns = [_column(part.strip(), stores, mark, problems) for part in (source, target)]
        if columns[0] and columns[1]:
            yield Reference(columns[0], columns[1])


def _column(text: str, stores: Mapping[str, Store], mark: Mark, problems: Collector) -> Column | None:
    found = column_of(text, stores, "x-seeder.references", mark)
    if isinstance(found, Problem):
        problems.problems.append(found)
        return None
    return found


def column_of(text: str, stores: Mapping[str, Store], subject: str, mark: Mark | None) -> Column | Problem:
    """The column that `store.table.column` names; `subject` and `mark` say where that is written."""
    store = max((name for name in stores if text.startswith(f"{name}.")), key=len, default=None)
    if store is None:
        return Problem(subject, f"{text!r} names no store", nearest(text.partition(".")[0], sorted(stores)), mark)
    table, dot, column = text.removeprefix(f"{store}.").rpartition(".")
    if not (table and dot and column):
        return Problem(subject, f"{text!r} names no column", f"write {store}.table.column", mark)
    return Column(store, table, column)
