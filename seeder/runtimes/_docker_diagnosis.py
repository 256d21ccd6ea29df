"""What the docker runtime needs of this machine, looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seeder.docker_engine.api import REMEDY, START, Daemon
from seeder.docker_engine.endpoint import endpoint
from seeder.errors import Problem, SeederError
from seeder.machine import process
from seeder.passed.notice import Diagnosis
from seeder.runtimes import _docker_compose


def diagnose(daemon: Callable[[], Daemon]) -> Iterator[Diagnosis]:
    """The compose plugin, the SDK and the engine behind the docker command."""
    yield _compose()
    yield _engine(daemon)


def _compose() -> Diagnosis:
    try:
        problem = _docker_compose.problem()
    except SeederError as error:
        problem = error.problems[0]
    if problem:
        return _failed(problem)
    return Diagnosis("docker compose", "ok", process.run(["docker", "compose", "version", "--short"], timeout=20).tail(1))


def _engine(daemon: Callable[[], Daemon]) -> Diagnosis:
    try:
        version = daemon().ping()
    except SeederError as error:
        return _failed(error.problems[0])
    at = endpoint()
    return Diagnosis("docker engine", "ok", f"{version} at {at.url or 'the default socket'}, its ports are reached at {at.host}")


def _failed(problem: Problem) -> Diagnosis:
    return Diagnosis(problem.subject, "fail", problem.cause, START if problem.remedy == REMEDY else problem.remedy)
