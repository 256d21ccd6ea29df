"""Programs that run once: in a container like a service's, or on this machine with the service's environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seeder.definition.stack import Stack
from seeder.docker_engine.api import Daemon
from seeder.errors import EnvironmentFailed
from seeder.machine import process, shell
from seeder.machine.process import Completed
from seeder.passed.run import Run, Task
from seeder.passed.target import Address
from seeder.runtimes._rewrite import Rewriter, hosts_of

TASK = "dev.seeder.task"


class Tasks:
    """The one-off programs of one run; each writes a log of its label's name."""

    def __init__(
        self, run: Run, stack: Stack, daemon: Daemon, labels: Mapping[str, str], addresses: Mapping[tuple[str, int], Address]
    ) -> None:
        self._run = run
        self._stack = stack
        self._daemon = daemon
        self._labels = labels
        self._addresses = addresses

    def execute(self, task: Task, container: str, variables: Mapping[str, Any], copies: Mapping[str, Mapping[str, Path]]) -> Completed:
        """`container` is the service's own, which the task's is made like; `variables` are the service's."""
        inside = copies.get(task.service) or {}
        completed = self._on_host(task, variables) if task.host else self._in_container(task, container, inside)
        path = self._path(task.label)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(completed.output + "\n")
        return completed

    def log(self, label: str, lines: int | None) -> str:
        """What the task wrote, or the build of a service; raises EnvironmentFailed for a name that is neither."""
        path = self._path(f"build-{label}" if label in self._stack.services else label)
        if not path.is_file() and label in self._stack.services:
            return ""
        if not path.is_file():
            raise EnvironmentFailed(label, "there is no log of it", "name a service of the stack or a task that ran")
        kept = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(kept if lines is None else kept[-lines:])

    def _path(self, label: str) -> Path:
        return self._run.folder / "logs" / f"{re.sub(r'[^a-zA-Z0-9._-]+', '-', label)}.log"

    def _in_container(self, task: Task, like: str, copies: Mapping[str, Path]) -> Completed:
        labels = {**self._labels, TASK: task.label}
        made = self._daemon.create_like(like, task.command, task.environment, labels, task.label)
        try:
            if copies:
                self._daemon.copy_in(made, copies, task.label)
            self._daemon.start(made, task.label)
            code = self._daemon.wait(made, task.timeout, task.label)
            output = self._daemon.logs(made, task.label)
        finally:
            self._daemon.remove("container", made)
        if code is None:
            log = "\n".join(output.splitlines()[-20:])
            raise EnvironmentFailed(task.label, f"did not end within {task.timeout:g} s", task.remedy, log=log)
        return Completed(code, output)

    def _on_host(self, task: Task, variables: Mapping[str, Any]) -> Completed:
        """Addresses of services become the published ones."""
        rewriter = Rewriter(hosts_of(self._stack, self._addresses))
        own = {name: str(value) for name, value in variables.items() if value is not None}
        environment = {
            **shell.environment(self._run),
            **rewriter.environment({**own, **task.environment}),
            process.RUN_LABEL: self._run.id,
        }
        command = rewriter.arguments(task.command)
        return process.run(command, timeout=task.timeout, cwd=task.cwd, environment=environment, remedy=task.remedy)
