"""What the WireMock image makes of a service's definition, and the same without containers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

import seeder
from seeder.definition.dataset import Part
from seeder.definition.service import Mount, Service
from seeder.definition.stub_mappings import Written, read
from seeder.engines import _image
from seeder.engines.stubserver import admin, subset
from seeder.errors import DefinitionError, Problem
from seeder.passed.launch import LocalLaunch

PORT: Final = 8080
_ROOT: Final = "/home/wiremock"
_ENTRYPOINT: Final = "docker-entrypoint.sh"
_HEEDED: Final = frozenset({"port", "root-dir", "admin-api-basic-auth"})
# What changes nothing that a client of one small server would see.
_UNHEEDED: Final = frozenset({
    "verbose", "disable-banner", "disable-gzip", "disable-request-logging", "print-all-network-traffic", "container-threads",
    "jetty-acceptor-threads", "jetty-accept-queue-size", "jetty-header-request-size", "jetty-header-response-size", "jetty-stop-timeout",
    "jetty-idle-timeout", "async-response-enabled", "async-response-threads", "timeout", "bind-address", "disable-http2-plain",
    "disable-http2-tls", "max-template-cache-entries", "disable-response-templating", "disable-extensions-scanning",
    "logged-response-body-size-limit", "max-http-client-connections", "webhook-threadpool-size", "match-headers",
})  # fmt: skip


def options(service: Service) -> dict[str, str]:
    """The server's options by name; those of the command go before those of WIREMOCK_OPTIONS."""
    given = _image.split(service, service.environment.get("WIREMOCK_OPTIONS") or "")
    return _options(given) | _options(_image.arguments(service, _ENTRYPOINT))


def _options(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            found[name] = value
        elif name:
            found[name] = word
    return found


def login(service: Service) -> tuple[str, str] | None:
    """Who may use the admin API."""
    user, _, password = options(service).get("admin-api-basic-auth", "").partition(":")
    return (user, password) if user else None


def launch(service: Service) -> LocalLaunch:
    """Raises DefinitionError with everything that the server without containers does not know, of options and of mounted mappings."""
    asked = options(service)
    unknown = [Problem(service.name, f"the option --{name} is not known without containers", "use --runtime docker, or leave it out",
                       service.mark) for name in asked if name not in _HEEDED | _UNHEEDED]  # fmt: skip
    root = asked.get("root-dir", _ROOT)
    mappings: list[Any] = []
    for path, text in sorted(_mounted(service, f"{root}/mappings", ".json")):
        found, problems = _read(path, text)
        mappings += found
        unknown += problems
    if unknown:
        raise DefinitionError.of(unknown)
    settings = {
        "host": "{host}",
        "port": "{port}",
        "auth": asked.get("admin-api-basic-auth"),
        "mappings": json.dumps(mappings),
        "files": {name: str(path) for name, path in _bodies(service, f"{root}/__files")},
    }
    return LocalLaunch(
        program=f"a stub server of seeder's own (knows the part of WireMock {admin.VERSION} that the reference names)",
        command=(sys.executable, "-S", "-P", "-m", "seeder.engines.stubserver", "{data}/stub.json"),
        files={"stub.json": _settings(settings)},
        environment={"PYTHONPATH": str(Path(str(seeder.__file__)).parents[1])},
        notes=tuple(f"--{name} is left out" for name in asked if name in _UNHEEDED),
    )


def _settings(given: Mapping[str, Any]) -> str:
    """As JSON; braces in mappings are not those of placeholders."""
    return json.dumps({**given, "mappings": "{mappings}"}).replace('"{mappings}"', json.dumps(given["mappings"]).replace("{", "\\u007b"))


def _read(path: Path, text: str) -> tuple[list[Any], list[Problem]]:
    try:
        written = read(path, text)
    except DefinitionError as error:
        return [], list(error.problems)
    found = [problem for one in written for problem in narrow(one)]
    return [one.mapping for one in written], found


def beyond(part: Part) -> Iterator[Problem]:
    """The same of a file of a dataset; what its loader refuses is told by that."""
    if not part.name.endswith(".json") or not part.name.startswith("mappings/"):
        return
    with suppress(DefinitionError):
        for one in read(part.path):
            yield from narrow(one)


def narrow(written: Written) -> Iterator[Problem]:
    """What the server without containers does not know of a mapping, with its place."""
    for place, cause in subset.beyond(written.mapping):
        subject = ".".join(map(str, place)) or "mapping"
        yield Problem(subject, f"{subject} {cause} without containers", "use --runtime docker, or write it otherwise", written.mark(place))


# -- what is mounted ----------------------------------------------------------------------------------------------------


def _mounted(service: Service, folder: str, ending: str) -> Iterator[tuple[Path, str]]:
    """Text files that stand below the folder inside the container, with where they come from."""
    for mount in service.mounts:
        if mount.content is not None:
            if mount.target.startswith(f"{folder}/") and mount.target.endswith(ending):
                yield Path(mount.target), mount.content
            continue
        for _, path in _below(mount, folder):
            if path.suffix == ending:
                yield path, _text(service, path)


def _bodies(service: Service, folder: str) -> Iterator[tuple[str, Path]]:
    """Files below the folder inside the container, by their names there."""
    for mount in service.mounts:
        yield from _below(mount, folder) if mount.content is None else ()


def _below(mount: Mount, folder: str) -> Iterator[tuple[str, Path]]:
    if mount.kind == "volume" or mount.source is None:
        return
    source, target, wanted = Path(mount.source), PurePosixPath(mount.target), PurePosixPath(folder)
    if wanted.is_relative_to(target):
        start = source / wanted.relative_to(target)
        yield from ((path.relative_to(start).as_posix(), path) for path in sorted(start.rglob("*")) if path.is_file())
    elif target.is_relative_to(wanted):
        inside = target.relative_to(wanted)
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.is_file():
                yield (inside / path.relative_to(source)).as_posix(), path


def _text(service: Service, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise DefinitionError(service.name, f"cannot read {path}: {cause}", "", service.mark) from error
