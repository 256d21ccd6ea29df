"""start, start-local: a whole `seeder run` of the shop, from layers and cold, beside the same stack started bare."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from benchmarks.measure import ROOT, SHOP, Case, Goal, Report, alternate, clock, docker_answers, run

COMPOSE = ["docker", "compose", "-f", str(ROOT / "stacks/shop/compose.yaml"), "-p", f"seeder-bench-{os.getpid()}"]


def docker(times: int) -> Report | None:
    """Bare is `docker compose up --wait`, which migrates by its one-shots and loads nothing, and `down -v`."""
    if not docker_answers():
        return None
    report = Report("start", times)
    subprocess.run([*COMPOSE, "build", "--quiet"], check=True, capture_output=True)
    run(*SHOP, "--runtime", "docker")  # makes the image under seeder's own name, and the layers
    cold = Case("seeder run, cold", lambda: run(*SHOP, "--runtime", "docker", "--no-cache"))
    layers = Case("seeder run, from layers", lambda: run(*SHOP, "--runtime", "docker"))
    alternate(report, [layers, Case("docker compose up --wait, no data", _compose), cold])
    report.goals = [
        Goal("from layers, whole runs", layers.name, "docker compose up --wait, no data", 1.0),
        Goal("from layers", layers.name, cold.name, 0.25),
    ]
    return report


def local(times: int) -> Report:
    """Cold beside from layers."""
    report = Report("start-local", times)
    run(*SHOP, "--runtime", "local")
    cold = Case("seeder run, cold", lambda: run(*SHOP, "--runtime", "local", "--no-cache"))
    layers = Case("seeder run, from layers", lambda: run(*SHOP, "--runtime", "local"))
    alternate(report, [layers, cold])
    report.goals = [Goal("from layers", layers.name, cold.name, 0.25)]
    return report


def _compose() -> Mapping[str, float]:
    up: dict[str, float] = {}
    try:
        with clock() as up:
            subprocess.run([*COMPOSE, "up", "--wait", "--quiet-pull"], check=True, capture_output=True)
    finally:
        with clock() as down:
            subprocess.run([*COMPOSE, "down", "-v"], check=True, capture_output=True)
    return {"start": up["total"], "teardown": down["total"], "total": up["total"] + down["total"]}
