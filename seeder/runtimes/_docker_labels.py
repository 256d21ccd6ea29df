"""The labels that everything of a run carries, by which alone it is found again."""

from __future__ import annotations

from seeder.passed.run import EXPIRES, RUN, Run

PROJECT, STACK = "dev.seeder.project", "dev.seeder.stack"
SERVICE = "com.docker.compose.service"


def labels(run: Run) -> dict[str, str]:
    """What is written on all that the run makes."""
    return {RUN: run.id, PROJECT: run.project, STACK: run.stack, EXPIRES: run.expires.isoformat()}
