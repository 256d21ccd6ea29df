"""size: the start of a server from layers of 10 MB to 1 GB: on docker all are to take the same, on local what a copy takes."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import stacks
from benchmarks.measure import Case, Goal, Report, alternate, clock, run
from seeder.machine import home
from seeder.passed.layer import Layer
from seeder.reuse import room

SIZES = {"10mb": 10, "100mb": 100, "1gb": 1000}
TINY = {"1mb": 1}
READY = "until it answers"
KEPT = {"local": "directory", "docker": "image"}

Once = Callable[[], Mapping[str, float]]


def size(times: int, runtime: str, sizes: Mapping[str, int]) -> Report:
    """A whole run takes its gates and a digest of all rows as well, which is in no start but in its total."""
    report = Report(f"size, {runtime}", times, main=READY)
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        stacks.sized(Path(folder), sizes)
        for name in sizes:
            run(name, "--runtime", runtime, cwd=Path(folder))
        cases = [Case(f"from a layer of {name}", _started(Path(folder), name, runtime)) for name in sizes]
        layers = {str(layer.facts["stack"]): layer for layer in room.every([KEPT[runtime]]) if layer.own}
        if runtime == "local":
            cases += [Case(f"cp -a --reflink=auto, {name}", _copied(Path(layers[name].place))) for name in sizes]
        alternate(report, cases)
    report.goals = _goals(runtime, list(sizes))
    report.notes.append(f"layers with everything that is in them: {', '.join(_told(layers[name]) for name in sizes)}")
    report.notes.append(
        "`total` is the whole run, with its gates and a digest of all rows; max_wal_size=64MB, so that a layer is not half log"
    )
    return report


def _goals(runtime: str, names: list[str]) -> list[Goal]:
    if runtime == "docker":
        return [Goal("largest beside smallest", f"from a layer of {names[-1]}", f"from a layer of {names[0]}", 1.2)]
    return [Goal(name, f"from a layer of {name}", f"cp -a --reflink=auto, {name}", 1.3) for name in names]


def _started(project: Path, stack: str, runtime: str) -> Once:
    def once() -> Mapping[str, float]:
        found = run(stack, "--runtime", runtime, cwd=project)
        return {**found, READY: found["images"] + found["start"]}

    return once


def _copied(layer: Path) -> Once:
    """Where a run makes its copy."""

    def once() -> Mapping[str, float]:
        with tempfile.TemporaryDirectory(dir=home.cache()) as folder, clock() as found:
            subprocess.run(["cp", "-a", "--reflink=auto", str(layer), folder], check=True)
        return {READY: found["total"]}

    return once


def _told(layer: Layer) -> str:
    return f"{layer.facts['stack']} {layer.size / 1e6:.0f} MB"
