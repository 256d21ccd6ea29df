"""From the compose files of a stack to one merged model: variables, short forms, extends, include, several files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from seeder.definition import compose_forms as forms
from seeder.definition.compose_check import finished
from seeder.definition.compose_keys import INCLUDE, check_keys
from seeder.definition.compose_merge import merged, settled
from seeder.definition.compose_volumes import absolute
from seeder.definition.dotenv import read_variables
from seeder.definition.form import Place
from seeder.definition.interpolate import Filling, unset
from seeder.definition.marked import List, Map, Override
from seeder.definition.scalars import COMPOSE
from seeder.definition.yaml import Document, load_all
from seeder.errors import Collector, DefinitionError, Mark, Problem, nearest
from seeder.frozen import frozen

MOST_INCLUDES = 50  # one inside the other


@frozen
class Group:
    """Files that are read as one: relative paths count from `base`, variables come from `variables`; `chain` leads here."""

    files: tuple[Path, ...]
    base: Path
    variables: Mapping[str, str] = field(hash=False)
    chain: tuple[Path, ...] = ()


class Files:
    """Reads compose files; `problems`, `hints` and `further` (every file read beside the stack's own) grow as it goes. `whole`: no
    compose file is missing or unreadable, so that what the others lack is not in it. `unset`: variables that are needed and not set, and
    files of them that are not there, are hints and no problems, for who only looks at what a stack is made of."""

    def __init__(self, *, unset: bool = False) -> None:
        self._unset = unset
        self.problems = Collector()
        self.hints: list[Problem] = []
        self.whole = True
        self.further: list[Path] = []
        self._read: dict[tuple[Path, Group], list[Map]] = {}
        self._missing: set[Path] = set()

    def model(self, group: Group) -> Map:
        """The files of the group, merged in their order, with extends and includes resolved; of what is wrong, as much as can be told."""
        whole: Map | None = None
        for file in group.files:
            for document in self._documents(file, group):
                extended = self._with_extends(document, file, group)
                whole = self._with_includes(extended if whole is None else merged(whole, extended), file, group)
        if whole is None or not self.whole:
            return Map(Mark(group.files[0], 1))
        return finished(settled(whole), group.base, self.problems)

    def variables(self, base: Path, files: Sequence[Path], outer: Mapping[str, str]) -> dict[str, str]:
        """What the files of variables (by default `.env` in `base`, when there is one) add to the outer ones, which win."""
        found: dict[str, str] = {}

        def lookup(name: str) -> str | None:
            return outer.get(name, found.get(name))

        default = base / ".env"
        for file in files or ([default] if default.is_file() else []):
            if file in self._missing:
                continue
            self.note(file)
            found.update(read_variables(file, lookup, self.problems))
        return {**found, **outer}

    def note(self, file: Path) -> None:
        if file not in self.further:
            self.further.append(file)

    @property
    def lacking(self) -> list[Problem]:
        """Where it is told what a run needs and a fresh checkout does not hold."""
        return self.hints if self._unset else self.problems.problems

    def _expect(self, file: Path, what: str, mark: Mark) -> None:
        """A file that another one names, at `mark`."""
        self.note(file)
        if not file.is_file() and file not in self._missing:
            self._missing.add(file)
            self.problems.add(what, f"there is no file {file}", "create it, or correct the path", mark)

    def _documents(self, file: Path, group: Group) -> list[Map]:
        key = (file, group)
        if key not in self._read:
            self._read[key] = [self._formed(document, group) for document in self._load(file)]
        return self._read[key]

    def _load(self, file: Path) -> list[Document]:
        try:
            documents = [] if file in self._missing else load_all(file, COMPOSE)
        except DefinitionError as error:
            self.problems.problems += error.problems
            self._missing.add(file)
        if file in self._missing:
            self.whole = False
            return []
        if not any(document.data is not None for document in documents):
            self.problems.add(file.name, "the file is empty", "write services: into it", Mark(file, 1))
        for document in documents:
            if document.data is not None and not isinstance(document.data, Map):
                self.problems.add(file.name, "the top level of the file is not a mapping", mark=Mark(file, 1))
        return [document for document in documents if isinstance(document.data, Map)]

    def _formed(self, document: Document, group: Group) -> Map:
        self.hints += unset(document.data, group.variables.get)
        data = Filling(group.variables.get, self.problems, self.hints if self._unset else None).data(document.data)
        place = Place("", document.mark(), group.base, group.variables.get, self.problems)
        return forms.model(data, place)

    # -- extends

    def _with_extends(self, document: Map, file: Path, group: Group) -> Map:
        services = _map(document.get("services"))
        if not any("extends" in service for service in services.values() if isinstance(service, Map)):
            return document
        extended = {name: self._extended(name, services, file, group, ()) for name in services}
        whole = Map(services.mark, extended, services.marks)
        return Map(document.mark, {**document, "services": whole}, document.marks)

    def _extended(self, name: str, services: Map, file: Path, group: Group, seen: tuple[tuple[Path, str], ...]) -> Any:
        service = services[name]
        extends = service.get("extends") if isinstance(service, Map) else None
        if not isinstance(extends, Map):
            return service
        mark, what = service.at("extends"), f"services.{name}.extends"
        own = Map(service.mark, {key: value for key, value in service.items() if key != "extends"}, service.marks)
        if (file, name) in seen:
            path = " -> ".join(step for _, step in (*seen[seen.index((file, name)) :], (file, name)))
            self.problems.add(what, f"the services extend each other: {path}", "break the circle", mark)
            return own
        origin, there, group = self._origin(what, extends, services, file, group)
        wanted = extends.get("service")
        if origin in self._missing:
            return own
        if not isinstance(wanted, str) or wanted not in there:
            remedy = nearest(str(wanted), sorted(there)) if wanted else "add service: NAME"
            self.problems.add(what, f"there is no service {wanted} in {origin.name}", remedy, mark)
            return own
        base = self._extended(wanted, there, origin, group, (*seen, (file, name)))
        return merged(base, own, ("services", name)) if isinstance(base, Map) else own

    def _origin(self, what: str, extends: Map, services: Map, file: Path, group: Group) -> tuple[Path, Map, Group]:
        """The file that holds the extended service, its services, and how it is read."""
        if not extends.get("file"):
            return file, services, group
        origin = absolute(extends["file"], group.base)
        self._expect(origin, what, extends.at("file"))
        there = replace(group, base=origin.parent)
        found = Map(extends.mark)
        for document in self._documents(origin, there):
            found = merged(found, _map(document.get("services")), ("services",))
        return origin, found, there

    # -- include

    def _with_includes(self, document: Map, file: Path, group: Group) -> Map:
        entries = document.get("include")
        document = Map(document.mark, {key: value for key, value in document.items() if key != "include"}, document.marks)
        if entries is not None and not isinstance(entries, List):
            self.problems.add("include", "a list is needed here", "write - before each file", document.at("include"))
            return document
        for index, entry in enumerate(entries or ()):
            included = self._included(entry, f"include[{index}]", entries.at(index) if entries else document.mark, file, group)
            if included is not None:
                document = self._import(self.model(included), document)
        return document

    def _import(self, included: Map, document: Map) -> Map:
        """The included file's resources come first, so that the including file may refine them."""
        sections = {key: value for key, value in included.items() if key in ("services", "volumes", "networks", "configs", "secrets")}
        base = Map(document.mark, sections, included.marks)
        if isinstance(extra := included.get("x-seeder"), Map):
            base.put("x-seeder", extra, included.at("x-seeder"))
        return merged(base, document)

    def _included(self, entry: Any, what: str, mark: Mark, file: Path, group: Group) -> Group | None:
        if isinstance(entry, str):
            entry = Map(mark, {"path": entry})
        if not isinstance(entry, Map):
            self.problems.add(what, "a path or a mapping is needed here", "", mark)
            return None
        check_keys(entry, INCLUDE, what, self.problems)
        paths = [absolute(path, group.base) for path in _texts(entry.get("path"))]
        chain = (*group.chain, file)
        if not paths:
            self.problems.add(what, "an include needs a path", "add path: FILE", mark)
            return None
        if paths[0] in chain or len(chain) > MOST_INCLUDES:
            shown = " -> ".join(step.name for step in (*chain, paths[0]))
            self.problems.add(what, f"the files include each other: {shown}", "break the circle", mark)
            return None
        folder = entry.get("project_directory")
        base = absolute(folder, group.base) if isinstance(folder, str) and folder else paths[0].parent
        env_files = [absolute(path, group.base) for path in _texts(entry.get("env_file"))]
        for path in (*paths, *env_files):
            self._expect(path, what, mark)
        return Group(tuple(paths), base, self.variables(base, env_files, group.variables), chain)


def _map(value: Any) -> Map:
    if isinstance(value, Override):
        value = value.value
    return value if isinstance(value, Map) else Map(Mark(Path(), 1))


def _texts(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, List) else [value]) if isinstance(item, str)]
