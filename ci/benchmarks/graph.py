"""graph: how long a plan of a scenario with 2,000 steps takes, from its files on, with layers looked for; nothing is started."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.measure import Case, Goal, Report, alternate, clock
from seeder import decide
from seeder.definition.request import Request, find_project, resolve
from seeder.registry import traits

COMPUTED = "computed"  # seconds of this process: a plan waits for nothing, and others may be at work beside it
MANIFEST = """seeder: "1"
project: graph
stacks: {graph: {compose: [compose.yaml], version: "1"}}
"""
COMPOSE = "services: {cache: {image: redis:7}}\n"
GENERATORS = """from dataclasses import dataclass

from seeder import Context, generator


@dataclass
class Made:
    id: int


@generator("notes.write", version="1", owner="notes-team")
def write(ctx: Context, *, after: int = 0, body: str = "") -> Made:
    return Made(after)
"""


def graph(times: int, steps: int) -> Report:
    report = Report("graph", times, main=COMPUTED)
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        at = Path(folder)
        (at / "generators").mkdir()
        (at / "testdata/scenarios").mkdir(parents=True)
        (at / "manifest.yaml").write_text(MANIFEST)
        (at / "compose.yaml").write_text(COMPOSE)
        (at / "generators/notes.py").write_text(GENERATORS)
        for name, text in {"one": _written("one", 1), "many": _written("many", steps), "used": _using("many")}.items():
            (at / f"testdata/scenarios/{name}.yaml").write_text(text)
        many, used = f"{steps:,} steps", f"a scenario that uses one with {steps:,} steps"
        cases = {"one step": "one", many: "many", used: "used"}
        alternate(report, [Case(name, _planned(at, scenario)) for name, scenario in cases.items()])
    report.goals = [Goal("planned", many, None, 1.0), Goal("planned, used", used, None, 1.0)]
    report.notes.append("all three scenarios are read each time: they are files of one project")
    return report


def _planned(project: Path, scenario: str) -> Callable[[], Mapping[str, float]]:
    def once() -> Mapping[str, float]:
        begun = time.process_time()
        with clock() as found:
            decide.plan(resolve(find_project(project), Request(scenario=scenario, runtime="local"), traits()))
        return {**found, COMPUTED: time.process_time() - begun}

    return once


def _written(name: str, steps: int) -> str:
    """Every second step is given what the one before it made, the others come after it."""
    lines = [f'scenario: {name}\nversion: "1"\nstack: graph\nsteps:', "  s0: {use: notes.write}"]
    for n in range(1, steps):
        given = f'with: {{after: "${{s{n - 1}.id}}", body: note {n}}}' if n % 2 else f"with: {{body: note {n}}}, after: [s{n - 1}]"
        lines.append(f"  s{n}: {{use: notes.write, {given}}}")
    return "\n".join([*lines, ""])


def _using(name: str) -> str:
    head = 'scenario: used\nversion: "1"\nstack: graph\nsteps:\n'
    return f"{head}  base: {{use: scenario/{name}}}\n  more: {{use: notes.write, after: [base]}}\n"
