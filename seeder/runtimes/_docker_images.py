"""The image that each service runs: there, pulled, or built."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seeder import order
from seeder.docker_engine.api import Daemon, Image
from seeder.errors import EnvironmentFailed
from seeder.events import Emit, Progress
from seeder.machine import process
from seeder.runtimes import _docker_build, _docker_compose

PULL_SECONDS = 1800.0


class Images:
    """Gets the images of a reduced model; equal ones once."""

    def __init__(self, daemon: Daemon, emit: Emit, logs: Path, environment: Mapping[str, str]) -> None:
        self._daemon = daemon
        self._emit = emit
        self._logs = logs
        self._environment = environment  # of the docker command
        self._known: dict[str, Image | None] = {}
        self._built: set[str] = set()
        self._lock = threading.Lock()

    def get(
        self, model: Mapping[str, Any], replaced: Mapping[str, str], states: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, Image]]:
        """Service -> image name, and image name -> what it is. `states` are images of layers at which services begin: nobody else has
        them, whatever a service's pull policy says. Raises EnvironmentFailed with every image that cannot be had."""
        names = {**self._names(model["services"], replaced), **states}
        users: dict[str, str] = {}
        for service, image in names.items():
            if image not in users or "build" in model["services"][service]:
                users[image] = service  # who can build it, or who asks first
        failed: list[EnvironmentFailed] = []

        def fetch(image: str) -> None:
            try:
                if image in states.values():
                    self._find(users[image], image)
                else:
                    self._fetch(users[image], image, model)
            except EnvironmentFailed as error:
                failed.append(error)

        order.along(dict.fromkeys(users, ()), fetch, at_once=4)
        if len(failed) == 1:
            raise failed[0]  # with its log
        if failed:
            raise EnvironmentFailed.of(problem for error in failed for problem in error.problems)
        return names, {image: found for image in users if (found := self._look(image))}

    def _names(self, services: Mapping[str, Any], replaced: Mapping[str, str]) -> dict[str, str]:
        """What replaces it, what is built for it, what another service builds under that name, or what the file says."""
        tags = {json.dumps(s["build"], sort_keys=True): "" for s in services.values() if s.get("build")}
        tags = {build: _docker_build.tag(json.loads(build), self._identify) for build in tags}
        built = {name: tags[json.dumps(s["build"], sort_keys=True)] for name, s in services.items() if s.get("build")}
        others = {services[name]["image"]: tag for name, tag in built.items() if services[name].get("image")}
        self._built = set(built.values())
        names: dict[str, str] = {}
        for name, service in services.items():
            written = service.get("image") or ""
            names[name] = replaced.get(name) or built.get(name) or others.get(written) or written
            if not names[name]:
                raise EnvironmentFailed(name, "has neither an image nor a build", "name one of them in the compose file")
        return names

    def _identify(self, image: str) -> str | None:
        found = self._look(image)
        return found.id if found else None

    def _look(self, image: str) -> Image | None:
        with self._lock:
            if image in self._known:
                return self._known[image]
        found = self._daemon.image(image)
        with self._lock:
            self._known[image] = found
        return found

    def _exists(self, image: str) -> bool:
        with self._lock:
            self._known.pop(image, None)
        return self._look(image) is not None

    def _find(self, service: str, layer: str) -> None:
        if not self._exists(layer):
            raise EnvironmentFailed(service, f"the layer at which it begins was removed meanwhile: {layer}", "run again")

    def _fetch(self, service: str, image: str, model: Mapping[str, Any]) -> None:
        if image in self._built:
            _docker_build.once(image, self._exists, lambda: self._build(service, image, model))
            self._exists(image)
            return
        policy = model["services"][service].get("pull_policy")
        if policy == "always" or (policy != "never" and not self._exists(image)):
            self._pull(service, image, model["services"][service].get("platform"))
        if not self._exists(image):
            remedy = "pull or build it, or change `pull_policy`" if policy == "never" else "check its name and tag"
            raise EnvironmentFailed(service, f"image {image} is not at the docker engine", remedy)

    def _build(self, service: str, image: str, model: Mapping[str, Any]) -> None:
        log = self._logs / f"build-{service}.log"
        _docker_build.run(service, image, model, log, self._environment, self._teller(service, "building"))

    def _teller(self, service: str, state: str) -> Callable[[str], None]:
        return lambda line: self._emit(Progress("images", service, state, line.strip()))

    def _pull(self, service: str, image: str, platform: str | None) -> None:
        chosen = ["--platform", platform] if platform else []
        words, tell = ["docker", "pull", *chosen, image], self._teller(service, "pulling")
        answer = process.run(words, timeout=PULL_SECONDS, environment=self._environment, on_line=tell)
        if answer.code:
            said = _docker_compose.failure(service, answer).problems[0]
            remedy = f"check the name and tag, your network and `docker login`; or take another image: --image {service}=NAME:TAG"
            raise EnvironmentFailed(service, f"image {image} cannot be pulled: {said.cause}", said.remedy or remedy, log=answer.tail())
