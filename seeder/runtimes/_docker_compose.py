"""The docker command: what it is asked, and its complaints in plain words."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from seeder.definition.stack import Stack
from seeder.errors import DefinitionError, EnvironmentFailed, Problem
from seeder.machine import atomic, process
from seeder.runtimes._docker_model import Model, escaped, unescaped

OLDEST = (2, 20)
CREATE_SECONDS = 300.0
INSTALL = "install Docker Compose 2.20 or newer as a plugin of the docker command"
POOLS = (
    "give docker more and smaller networks: in /etc/docker/daemon.json set "
    '{"default-address-pools": [{"base": "10.200.0.0/14", "size": 24}]} and restart it; or end other runs (`seeder ls`, `seeder down`)'
)
NO_RANGE = "docker has no address range left for another network"
KNOWN = (
    (r"non-overlapping IPv4 address pool|address pools have been fully subnetted", NO_RANGE, POOLS),
    (r"no space left on device", "the disk of the docker engine is full", "free space: `docker system df` shows who takes it"),
    (r"Cannot connect to the Docker daemon|error during connect", "the docker daemon does not answer", "start it; see `seeder doctor`"),
)


def problem() -> Problem | None:
    """Why compose cannot be used on this machine."""
    if process.find("docker") is None:
        return Problem("docker", "there is no docker command on PATH", "install Docker, or take `--runtime local`")
    answer = process.run(["docker", "compose", "version", "--short"], timeout=20)
    found = re.search(r"(\d+)\.(\d+)", answer.output)
    if answer.code or not found:
        return Problem("docker compose", "the docker command has no compose plugin", INSTALL)
    if (int(found[1]), int(found[2])) < OLDEST:
        return Problem("docker compose", f"version {answer.output.strip()} is too old", INSTALL)
    return None


def resolve(stack: Stack) -> Model:
    """The stack's files as compose itself understands them, every profile included. Raises DefinitionError with its words."""
    files = [word for file in stack.files for word in ("-f", str(file))]
    words = ["docker", "compose", "--project-directory", str(stack.project_dir), "--profile", "*", *files, "config", "--format", "json"]
    lines: list[str] = []
    answer = process.run(words, timeout=60, cwd=stack.project_dir, environment=os.environ | {"COMPOSE_PROFILES": "*"}, on_line=lines.append)
    if answer.code:
        raise DefinitionError(stack.name, f"compose cannot read it: {_complaint(answer)}", "`docker compose config` says the same")
    start = next((index for index, line in enumerate(lines) if line.startswith("{")), 0)  # warnings come first
    model: Model = unescaped(json.loads("\n".join(lines[start:])))
    return model


def write(model: Model, path: Path) -> None:
    """Keep a model, readable by its owner alone: it holds the services' passwords."""
    atomic.write(path, json.dumps(escaped(model), indent=2, ensure_ascii=False) + "\n")


def read(path: Path) -> Model:
    """A model as `write` kept it."""
    model: Model = unescaped(json.loads(path.read_text(encoding="utf-8")))
    return model


def create(model: Path, run: str, services: Sequence[str] = (), on_line: Callable[[str], None] | None = None) -> None:
    """Create containers (all, or anew those of the services), networks and volumes of the model; start nothing."""
    words = [*command(model), "up", "--no-start", "--no-build", "--pull", "never"]
    words += ["--force-recreate", "--no-deps", *services] if services else []
    answer = process.run(words, timeout=CREATE_SECONDS, environment=environment(run), on_line=on_line)
    if answer.code:
        raise failure("docker compose", answer)


def command(model: Path) -> list[str]:
    """The beginning of every command on a model that seeder wrote: nothing else, no `.env`, has a say."""
    folder = str(model.parent)
    return ["docker", "compose", "--progress", "plain", "--project-directory", folder, "--env-file", os.devnull, "-f", str(model)]


def environment(run: str, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a docker command of a run is started with. The user's wishes for compose were heard when the files were read; on
    seeder's own model a COMPOSE_PROJECT_NAME would mean another project."""
    return {name: value for name, value in variables.items() if not name.startswith("COMPOSE_")} | {process.RUN_LABEL: run}


def failure(subject: str, answer: process.Completed) -> EnvironmentFailed:
    """What the docker command said, in our words where the case is known."""
    for pattern, cause, remedy in KNOWN:
        if re.search(pattern, answer.output):
            return EnvironmentFailed(subject, cause, remedy, log=answer.tail())
    return EnvironmentFailed(subject, _complaint(answer), log=answer.tail())


def _complaint(answer: process.Completed) -> str:
    lines = [line.strip() for line in answer.output.splitlines() if line.strip()]
    return lines[-1] if lines else f"ended with code {answer.code}"
