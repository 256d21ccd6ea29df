"""Stacks on a real engine, from the text of a compose file; everything is swept afterwards."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.definition.stack import Stack
from seeder.events import Event, Noticed
from seeder.machine import home
from seeder.passed.run import Run
from seeder.registry import ENGINES, traits
from seeder.runtimes._docker_containers import Containers
from seeder.runtimes.docker import Docker
from seeder.wait import READY, Verdict, wait_for

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def stack_of(folder: Path, text: str) -> Stack:
    file = folder / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    return read_stack(StackEntry("mini", "1", (file,)), engines=traits(), environment=os.environ)


def run_of(folder: Path) -> Run:
    name = f"t{secrets.token_hex(5)}"
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    run = Run(name, "contract", "mini", "docker", home.run_folder(name), folder, NOON, 42, expires)
    run.folder.mkdir(mode=0o700)
    return run


def docker(*words: str) -> str:
    """The docker command's answer."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def owned(run: str) -> list[str]:
    """Everything at the engine that carries the run's label, or belongs to its compose project."""
    found = []
    for label in (f"dev.seeder.run={run}", f"com.docker.compose.project=seeder-mini-{run}"):
        found += docker("ps", "-aq", "--filter", f"label={label}").split()
        for kind in ("network", "volume", "image"):
            found += docker(kind, "ls", "-q", "--filter", f"label={label}").split()
    return found


class Opened:
    """One run of a stack; `prepare` creates it."""

    def __init__(self, stack: Stack, run: Run, **options) -> None:
        self.stack, self.run, self.events = stack, run, list[Event]()
        self.containers: Containers = Docker().open(run, stack, self.events.append, **options)

    def prepare(self, images: dict[str, str] | None = None) -> Opened:
        self.addresses = self.containers.prepare(images or {})
        return self

    def up(self, *services: str, within: float = 60) -> Opened:
        for service in services:
            self.containers.start(service)
            wait_for(service, lambda name=service: self.look(name), within=within)
        return self

    def look(self, name: str, condition: str = "healthy") -> Verdict:
        stores = self.stack.stores_of(name)
        if not stores:
            return self.containers.look(name, condition)
        alive = self.containers.look(name, "started")
        engine, service = ENGINES.get(stores[0].engine), self.stack.services[name]
        target = engine.target(stores[0], service, self.addresses[name, engine.launch(service).port])
        return engine.probe(target) if alive == READY else alive

    def container(self, service: str) -> str:
        return f"{self.run.name}-{service}-1"

    @property
    def notices(self) -> list[str]:
        return [event.subject for event in self.events if isinstance(event, Noticed)]


class OnDocker:
    @pytest.fixture
    def token(self) -> Iterator[str]:
        """A text that no image holds yet; images with the label `seeder.test` of this value are removed afterwards."""
        token = secrets.token_hex(8)
        yield token
        for image in docker("images", "-q", "--filter", f"label=seeder.test={token}").split():
            docker("rmi", "-f", image)

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
        """Opens a run of a compose file's text; all are swept afterwards."""
        with contextlib.ExitStack() as undo:

            def open_stack(text: str, **options) -> Opened:
                run = run_of(tmp_path)
                undo.callback(Docker().sweep, run.id)
                return Opened(stack_of(tmp_path, text), run, **options)

            yield open_stack
