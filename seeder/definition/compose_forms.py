"""One form for everything that compose lets one write in several: lists and maps, short and long entries, relative paths.

Every file is brought into this form before anything is merged, so merging meets only one. `!reset` and `!override` stay.
"""

from __future__ import annotations

from typing import Any

from seeder.definition import compose_keys as keys
from seeder.definition import compose_ports as ports
from seeder.definition import compose_volumes as volumes
from seeder.definition.form import (
    Form,
    Place,
    as_is,
    each,
    keyed,
    list_of,
    mapping_of,
    named,
    one_or_more,
    path,
    text,
    texts,
    truth,
    variables,
    words,
)
from seeder.definition.marked import List, Map
from seeder.definition.scalars import as_text


def model(value: Map, place: Place) -> Map:
    """A whole compose file, interpolated, in the one form."""
    keys.check_keys(value, keys.TOP, "", place.problems)
    forms: dict[str, Form] = {"services": mapping_of(service), **{name: mapping_of(_resource(name)) for name in keys.RESOURCES}}
    return each(value, place, lambda key: forms.get(key, as_is))


def service(value: Any, place: Place) -> Any:
    """One service."""
    if not isinstance(value, Map):
        place.needs("a mapping")
        return Map(place.mark)
    keys.check_keys(value, keys.SERVICE, place.path, place.problems)
    return each(value, place, lambda key: _SERVICE.get(key, as_is))


def _context(value: Any, place: Place) -> str | None:
    given = text(value, place)
    return given if given and volumes.is_remote(given) else path(given, place)


_BUILD_KEYS = keyed(keys.BUILD, {
    "context": _context, "dockerfile": text, "dockerfile_inline": text, "target": text, "args": variables,
})  # fmt: skip


def _build(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"context": _context(value, place)}, {"context": place.mark})
    return _BUILD_KEYS(value, place)


def _started(place: Place) -> Map:
    """A name in a list of dependencies means all of this, also where it is merged over more."""
    items = {"condition": "service_started", "required": True}
    return Map(place.mark, items, dict.fromkeys(items, place.mark))


_DEPENDENCY = keyed(keys.DEPENDENCY, {"condition": text, "required": truth, "restart": truth})


_NETWORK_KEYS = keyed(keys.NETWORK_USE, {"aliases": texts})


def _network_use(value: Any, place: Place) -> Any:
    return Map(place.mark) if value is None else _NETWORK_KEYS(value, place)


def _file_mount(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"source": value}, {"source": place.mark})
    return keyed(keys.FILE_MOUNT, {"source": text, "target": text})(value, place)


def _env_file(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        value = Map(place.mark, {"path": value}, {"path": place.mark})
    return keyed(keys.ENV_FILE, {"path": path, "required": truth})(value, place)


def _env_files(value: Any, place: Place) -> List | None:
    if value is None:
        return None
    several = value if isinstance(value, List) else List(place.mark, [value], [place.mark])
    return list_of(_env_file)(several, place)


def _extends(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return Map(place.mark, {"service": value}, {"service": place.mark})
    return keyed(keys.EXTENDS, {"service": text, "file": text})(value, place)


def _volume(value: Any, place: Place) -> Any:
    return volumes.mount(value, place)


def _port(value: Any, place: Place) -> Any:
    return ports.published(value, place)


def _exposed(value: Any, place: Place) -> Any:
    return as_text(value) if isinstance(value, (str, int)) else place.needs("a port")


def _resource(kind: str) -> Form:
    forms: dict[str, Form] = {"file": path, "environment": text, "content": text, "name": text}
    form = keyed(keys.RESOURCES[kind], forms)

    def formed(value: Any, place: Place) -> Any:
        return Map(place.mark) if value is None else form(value, place)

    return formed


_SERVICE: dict[str, Form] = {
    **dict.fromkeys(("image", "container_name", "hostname", "working_dir", "user", "network_mode", "pid", "ipc"), text),
    "privileged": truth,
    "command": words,
    "entrypoint": words,
    "environment": variables,
    "env_file": _env_files,
    "build": _build,
    "depends_on": named(_DEPENDENCY, _started),
    "networks": named(_network_use, lambda place: Map(place.mark)),
    "healthcheck": keyed(keys.HEALTHCHECK, {"test": words, "disable": truth}),
    "ports": list_of(_port),
    "expose": list_of(_exposed),
    "volumes": list_of(_volume),
    "tmpfs": one_or_more,
    "configs": list_of(_file_mount),
    "secrets": list_of(_file_mount),
    "profiles": texts,
    "links": texts,
    "volumes_from": texts,
    "extends": _extends,
}
