"""services: 16 services and 8 databases, and how much of a run is seeder's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import stacks
from benchmarks.measure import Case, Goal, Report, alternate, provided

# Between these words about a subject somebody else is at work: a container is made, a server or service starts, a migration runs.
WORK = {"creating": {"created"}, "starting": {"ready"}, "migrating": {"migrated"}}
# What the journal tells no more of, and the docker engine does: it removes containers and networks.
ENGINE = {"teardown"}
OWN = "seeder's own"


def services(times: int, runtime: str, many: int, databases: int) -> Report:
    report = Report(f"services, {many} and {databases} databases, {runtime}", times)
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        stacks.many(Path(folder), many, databases)
        layers = Case("from layers", lambda: _run(Path(folder), runtime))
        layers.once()
        alternate(report, [layers, Case("cold", lambda: _run(Path(folder), runtime, "--no-cache"))])
    report.goals = [Goal(f"{OWN} share, {case}", case, case, 0.2, OWN, "total") for case in report.rows]
    report.notes.append(
        f"{OWN}: the total without the time in which a container is made, a server or service starts, a migration runs, or the docker "
        "engine removes what there was; Python's start, the plan, copies of data, gates and digest are in it, on local the teardown too"
    )
    report.notes.append("processor: what seeder's own process computed in all of the run")
    return report


def _run(project: Path, runtime: str, *words: str) -> Mapping[str, float]:
    found = provided("many", "--runtime", runtime, *words, cwd=project)
    own = found.seconds["total"] - covered(others(found.journal, runtime))
    return {**found.seconds, "processor": found.processor, OWN: own}


def others(events: Iterable[Mapping[str, Any]], runtime: str) -> list[tuple[float, float]]:
    """From when to when somebody else was at work, as the journal tells."""
    found: list[tuple[float, float]] = []
    begun: dict[tuple[str, str], float] = {}
    for event in events:
        if event["event"] == "progress":
            for first, last in WORK.items():
                if event["state"] == first:
                    begun[event["subject"], first] = event["t"]
                elif event["state"] in last and (event["subject"], first) in begun:
                    found.append((begun.pop((event["subject"], first)), event["t"]))
        elif event["event"] == "stage.ended" and runtime == "docker" and event["stage"] in ENGINE:
            found.append((event["t"] - event["seconds"], event["t"]))
    return found


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of them lasted."""
    length, end = 0.0, 0.0
    for first, last in sorted(spans):
        length += max(0.0, last - max(first, end))
        end = max(end, last)
    return length
