"""One form for everything that compose lets one write in several: lists and maps, short and long entries, relative paths.

Every file is brought into this form before anything is merged, so merging meets only one. `!reset` and `!override` stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seeder.definition import compose_keys as keys
from seeder.definition import compose_ports as ports
from seeder.definition import compose_volumes as volumes
from seeder.definition.interpolate import Lookup
from seeder.definition.scalars import as_text
from seeder.definition.yaml import List, Map, Override, Reset
from seeder.errors import Collector, Mark


@dataclass(frozen=True)
class Place:
    """Where a value stands: `path` names it in messages, `base` is the folder that its relative paths count from."""

    path: str
    mark: Mark
    base: Path
    lookup: Lookup
    problems: Collector

    def into(self, part: str | int, mark: Mark) -> Place:
        path = f"{self.path}[{part}]" if isinstance(part, int) else f"{self.path}.{part}" if self.path else part
        return replace(self, path=path, mark=mark)

    def wrong(self, cause: str, remedy: str = "") -> None:
        self.problems.add(self.path, cause, remedy, self.mark)

    def needs(self, what: str) -> Any:
        """Say what is needed here; answers the value's one form, which is none."""
        self.wrong(f"{what} is needed here")
        return None


Form = Callable[[Any, Place], Any]


def model(value: Map, place: Place) -> Map:
    """A whole compose file, interpolated, in the one form."""
    keys.check_keys(value, keys.TOP, "", place.problems)
    forms: dict[str, Form] = {"services": _mapping_of(service), **{name: _mapping_of(_resource(name)) for name in keys.RESOURCES}}
    return _each(value, place, lambda key: forms.get(key, _as_is))


def service(value: Any, place: Place) -> Any:
    """One service."""
    if not isinstance(value, Map):
        place.needs("a mapping")
        return Map(place.mark)
    keys.check_keys(value, keys.SERVICE, place.path, place.problems)
    return _each(value, place, lambda key: _SERVICE.get(key, _as_is))


def _each(value: Map, place: Place, form_of: Callable[[str], Form]) -> Map:
    """The mapping with each value in its form; `!reset` stays, inside `!override` the form is applied."""
    result = Map(value.mark)
    for key, item in value.items():
        result.put(key, _formed(item, place.into(key, value.at(key)), form_of(key)), value.at(key))
    return result


def _formed(item: Any, place: Place, form: Form) -> Any:
    if isinstance(item, Reset):
        return item
    if isinstance(item, Override):
        return Override(form(item.value, place))
    return form(item, place)


def _as_is(value: Any, _: Place) -> Any:
    return value


def _mapping_of(form: Form) -> Form:
    def formed(value: Any, place: Place) -> Any:
        if isinstance(value, Map):
            return _each(value, place, lambda _: form)
        return None if value is None else place.needs("a mapping")

    return formed


def text(value: Any, place: Place) -> str | None:
    if value is None or isinstance(value, str):
        return value
    place.wrong("text is needed here", "put it in quotes" if not isinstance(value, (Map, List)) else "")
    return None


def _truth(value: Any, place: Place) -> bool:
    words = {"true": True, "yes": True, "y": True, "on": True, "false": False, "no": False, "n": False, "off": False}
    truth = words.get(value.lower()) if isinstance(value, str) else value
    if isinstance(truth, bool):
        return truth
    place.needs("true or false")
    return False


def _texts(value: Any, place: Place) -> List | None:
    """A list of texts."""
    return _list_of(text)(value, place)


def _one_or_more(value: Any, place: Place) -> List | None:
    return _texts(List(place.mark, [value], [place.mark]) if isinstance(value, str) else value, place)


def _list_of(form: Form) -> Callable[[Any, Place], List | None]:
    def formed(value: Any, place: Place) -> List | None:
        if not isinstance(value, List):
            return None if value is None else place.needs("a list")
        result = List(place.mark)
        for index, item in enumerate(value):
            inside = place.into(index, value.at(index))
            made = form(item, inside)
            for entry in made if isinstance(made, tuple) else (made,):
                if entry is not None:
                    result.put(entry, inside.mark)
        return result

    return formed


def _keyed(known: frozenset[str], forms: dict[str, Form]) -> Form:
    def formed(value: Any, place: Place) -> Any:
        if not isinstance(value, Map):
            return None if value is None else place.needs("a mapping")
        keys.check_keys(value, known, place.path, place.problems)
        return _each(value, place, lambda key: forms.get(key, _as_is))

    return formed


def _words(value: Any, place: Place) -> Any:
    """A command: a text or a list of texts."""
    return _texts(value, place) if isinstance(value, List) else text(value, place)


def _variables(value: Any, place: Place) -> Map | None:
    """A mapping of texts; a name without a value takes that of the reader's environment, or stays without one."""
    if isinstance(value, Map):
        return _each(value, place, _variable)
    if not isinstance(value, List):
        return None if value is None else place.needs("a mapping or a list")
    result = Map(place.mark)
    for index, item in enumerate(value):
        name, equals, given = (text(item, place.into(index, value.at(index))) or "").partition("=")
        result.put(name, given if equals else place.lookup(name), value.at(index))
    return result


def _variable(name: str) -> Form:
    def formed(value: Any, place: Place) -> str | None:
        if isinstance(value, (Map, List)):
            place.needs("a text, a number, true, false or nothing")
            return None
        return place.lookup(name) if value is None else as_text(value)

    return formed


def path(value: Any, place: Place) -> str | None:
    """An absolute path; `~` is the home folder."""
    given = text(value, place)
    return str(volumes.absolute(given, place.base)) if given else given


def _context(value: Any, place: Place) -> str | None:
    given = text(value, place)
    return given if given and volumes.is_remote(given) else path(given, place)


_BUILD_KEYS = _keyed(keys.BUILD, {
    "context": _context, "dockerfile": text, "dockerfile_inline": text, "target": text, "args": _variables,
})  # fmt: skip


def _build(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"context": _context(value, place)}, {"context": place.mark})
    return _BUILD_KEYS(value, place)


def _started(place: Place) -> Map:
    """A name in a list of dependencies means all of this, also where it is merged over more."""
    items = {"condition": "service_started", "required": True}
    return Map(place.mark, items, dict.fromkeys(items, place.mark))


_DEPENDENCY = _keyed(keys.DEPENDENCY, {"condition": text, "required": _truth, "restart": _truth})


def _named(form: Form, nothing: Callable[[Place], Any]) -> Form:
    """A mapping, or a list of names that stands for a mapping of each name to `nothing`."""

    def formed(value: Any, place: Place) -> Any:
        if isinstance(value, List):
            result = Map(place.mark)
            for index, item in enumerate(value):
                inside = place.into(index, value.at(index))
                if name := text(item, inside):
                    result.put(name, nothing(inside), inside.mark)
            return result
        return _mapping_of(form)(value, place)

    return formed


_NETWORK_KEYS = _keyed(keys.NETWORK_USE, {"aliases": _texts})


def _network_use(value: Any, place: Place) -> Any:
    return Map(place.mark) if value is None else _NETWORK_KEYS(value, place)


def _file_mount(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"source": value}, {"source": place.mark})
    return _keyed(keys.FILE_MOUNT, {"source": text, "target": text})(value, place)


def _env_file(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        value = Map(place.mark, {"path": value}, {"path": place.mark})
    return _keyed(keys.ENV_FILE, {"path": path, "required": _truth})(value, place)


def _env_files(value: Any, place: Place) -> List | None:
    if value is None:
        return None
    several = value if isinstance(value, List) else List(place.mark, [value], [place.mark])
    return _list_of(_env_file)(several, place)


def _extends(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"service": value}, {"service": place.mark})
    return _keyed(keys.EXTENDS, {"service": text, "file": text})(value, place)


def _volume(value: Any, place: Place) -> Any:
    return volumes.mount(value, place)


def _port(value: Any, place: Place) -> Any:
    return ports.published(value, place)


def _exposed(value: Any, place: Place) -> Any:
    return as_text(value) if isinstance(value, (str, int)) else place.needs("a port")


def _resource(kind: str) -> Form:
    forms: dict[str, Form] = {"file": path, "environment": text, "content": text, "name": text}
    keyed = _keyed(keys.RESOURCES[kind], forms)

    def formed(value: Any, place: Place) -> Any:
        return Map(place.mark) if value is None else keyed(value, place)

    return formed


_SERVICE: dict[str, Form] = {
    **dict.fromkeys(("image", "container_name", "hostname", "working_dir", "user", "network_mode", "pid", "ipc"), text),
    "privileged": _truth,
    "command": _words,
    "entrypoint": _words,
    "environment": _variables,
    "env_file": _env_files,
    "build": _build,
    "depends_on": _named(_DEPENDENCY, _started),
    "networks": _named(_network_use, lambda place: Map(place.mark)),
    "healthcheck": _keyed(keys.HEALTHCHECK, {"test": _words, "disable": _truth}),
    "ports": _list_of(_port),
    "expose": _list_of(_exposed),
    "volumes": _list_of(_volume),
    "tmpfs": _one_or_more,
    "configs": _list_of(_file_mount),
    "secrets": _list_of(_file_mount),
    "profiles": _texts,
    "links": _texts,
    "volumes_from": _texts,
    "extends": _extends,
}
