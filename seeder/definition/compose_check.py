"""What a merged compose model must hold together: every name that is used is declared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from seeder.definition.compose_keys import NOT_EMPTY, RESOURCES
from seeder.definition.marked import Map
from seeder.definition.service import Service
from seeder.errors import Collector, Mark, nearest

_NAME = re.compile(r"(?!\.\.?$)[a-zA-Z0-9._-]+")  # files and folders are named after it


def finished(model: Map, base: Path, problems: Collector) -> Map:
    """The merged model of a group of files without empty values, each of which is a problem; a build that names no context gets
    the group's folder."""
    for section in ("services", *RESOURCES):
        if section in model and not isinstance(model[section], Map):
            _fill(model, section, section, problems)
        entries = model.get(section, Map(model.mark))
        _fill_all(entries, section, problems)
        for name in entries:
            if not _NAME.fullmatch(name):
                problems.add(f"{section}.{name}", "a name is made of letters, digits, . _ and -, and not . or ..", "", entries.at(name))
    for name, service in model.get("services", {}).items():
        for key in sorted(NOT_EMPTY & service.keys()):
            if service[key] is None:
                _fill(service, key, f"services.{name}.{key}", problems)
                del service[key]
        for key in ("depends_on", "networks"):
            _fill_all(service.get(key, Map(service.mark)), f"services.{name}.{key}", problems)
        if "build" in service and not service["build"].get("context"):
            service["build"].put("context", str(base), service.at("build"))
    return model


def _fill_all(values: Map, path: str, problems: Collector) -> None:
    for key in values:
        if not isinstance(values[key], Map):
            _fill(values, key, f"{path}.{key}", problems)


def _fill(values: Map, key: str, path: str, problems: Collector) -> None:
    """Put an empty mapping in the place of nothing, and say so, unless something else is said of the place already."""
    if not any(problem.subject.startswith(path) for problem in problems.problems):
        problems.add(path, "nothing is written here", "remove the key, or give it a value", values.at(key))
    values[key] = Map(values.at(key))


def check_model(model: Map, services: Mapping[str, Service], problems: Collector) -> None:
    """Adds a problem for each service without image and build, for each unknown volume, network, config, secret or service that
    one names, for circular waiting and for what excludes each other."""
    containers: dict[str, str] = {}
    for name, service in services.items():
        raw: Map = model["services"][name]
        check = _Service(name, raw, model, problems)
        check.has_image()
        check.resources()
        check.exclusions()
        check.dependencies(service, services)
        if service.container_name and containers.setdefault(service.container_name, name) != name:
            other = containers[service.container_name]
            check.wrong("container_name", f"{other} has the name {service.container_name} already", "give each its own")
    _check_files(model, problems)


def _check_files(model: Map, problems: Collector) -> None:
    for kind, ways in (("configs", ("file", "environment", "content")), ("secrets", ("file", "environment"))):
        section = model.get(kind, Map(model.mark))
        for name, resource in section.items():
            given = [way for way in ways if resource.get(way) is not None]
            if len(given) > 1:
                problems.add(f"{kind}.{name}", f"{' and '.join(given)} exclude each other", "keep one", section.at(name))
            elif not given and not resource.get("external") and "driver" not in resource:
                problems.add(f"{kind}.{name}", "says nothing of its content", f"add one of {', '.join(ways)}", section.at(name))


class _Service:
    def __init__(self, name: str, raw: Map, model: Map, problems: Collector) -> None:
        self.name = name
        self.raw = raw
        self.model = model
        self.problems = problems

    def wrong(self, key: str, cause: str, remedy: str, mark: Mark | None = None) -> None:
        subject = f"services.{self.name}.{key}" if key else f"services.{self.name}"
        place = self.raw.at(key) if key else self.model["services"].at(self.name)
        self.problems.add(subject, cause, remedy, mark or place)

    def has_image(self) -> None:
        if self.raw.get("image") is None and self.raw.get("build") is None:
            whole = [name for name, raw in self.model["services"].items() if raw.get("image") or raw.get("build")]
            meant = nearest(self.name, whole)
            remedy = "add image: or build:"
            self.wrong("", "has neither an image nor a build", f"{meant} Else {remedy}" if meant.startswith("did you mean") else remedy)
        if "provider" in self.raw:
            self.wrong("provider", "is not supported yet", "leave the service out with a profile")

    def resources(self) -> None:
        for kind in ("configs", "secrets"):
            entries = self.raw.get(kind, [])
            for index, entry in enumerate(entries):
                self._declared(kind, kind, entry.get("source"), entries.at(index))
        volumes = self.raw.get("volumes", [])
        for index, mount in enumerate(volumes):
            if mount["type"] == "volume" and mount.get("source"):
                self._declared("volumes", "volumes", mount["source"], volumes.at(index))
        networks = self.raw.get("networks", Map(self.raw.mark))
        for name in networks:
            if name != "default":
                self._declared("networks", "networks", name, networks.at(name))

    def _declared(self, key: str, section: str, name: str | None, mark: Mark) -> None:
        known = self.model.get(section, {})
        if name not in known:
            self.wrong(key, f"{section} has no {name!r}", nearest(str(name), sorted(known)), mark)

    def exclusions(self) -> None:
        if self.raw.get("network_mode") and self.raw.get("networks"):
            self.wrong("network_mode", "network_mode and networks exclude each other", "keep one")
        build = self.raw.get("build") or {}
        if build.get("dockerfile") and build.get("dockerfile_inline"):
            self.wrong("build", "dockerfile and dockerfile_inline exclude each other", "keep one")

    def dependencies(self, service: Service, services: Mapping[str, Service]) -> None:
        written = self.raw.get("depends_on", Map(self.raw.mark))
        for edge in service.depends_on:
            if edge.service not in services:
                remedy = nearest(edge.service, sorted(services))
                self.wrong("depends_on", f"there is no service {edge.service!r}", remedy, written.at(edge.service))
