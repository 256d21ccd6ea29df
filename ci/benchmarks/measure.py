"""What every benchmark shares: cases that take turns, medians and their spread, a table in Markdown and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHOP = ("shop", "--scenario", "checkout-ready")


@dataclass(frozen=True)
class Case:
    """One thing that is measured: `once` answers its seconds, with a split of them if there is one."""

    name: str
    once: Callable[[], Mapping[str, float]]


@dataclass
class Goal:
    """`measured` is to be at most `most` times `against` (both names of cases) in one column, or without that at most `most` itself."""

    says: str
    measured: str
    against: str | None
    most: float
    column: str = "total"


@dataclass
class Report:
    """What came of a benchmark: column -> values of each case, and goals beside it."""

    name: str
    times: int
    unit: str = "s"
    rows: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def median(self, case: str, column: str = "total") -> float:
        return statistics.median(row.get(column, 0.0) for row in self.rows[case])

    def columns(self) -> list[str]:
        found = dict.fromkeys(column for rows in self.rows.values() for row in rows for column in row if column != "total")
        return [*found, "total"]

    def text(self) -> str:
        columns = self.columns()
        lines = [f"| {self.name}, {self.unit} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for case, rows in self.rows.items():
            cells = [self._cell([row[c] for row in rows if c in row], spread=c == "total") for c in columns]
            lines.append(f"| {case} | " + " | ".join(cells) + " |")
        lines += ["", *(self._told(goal) for goal in self.goals), *(f"- {note}" for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def _cell(self, values: list[float], *, spread: bool) -> str:
        if not values:
            return ""
        digits = 1 if self.unit == "ms" else 2
        middle = f"{statistics.median(values):.{digits}f}"
        return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})" if spread and len(values) > 1 else middle

    def reached(self, goal: Goal) -> float:
        return self.median(goal.measured, goal.column) / (self.median(goal.against, goal.column) if goal.against else 1)

    def _told(self, goal: Goal) -> str:
        reached = self.reached(goal)
        of = f" of `{goal.against}`" if goal.against else f" {self.unit}"
        return f"- {goal.says}: {reached:.2f}{of}, {'met' if reached <= goal.most else 'NOT met'} (at most {goal.most:g})"

    def as_json(self) -> dict[str, Any]:
        goals = [{**vars(goal), "reached": round(self.reached(goal), 4), "met": self.reached(goal) <= goal.most} for goal in self.goals]
        rows = {case: [dict(row) for row in rows] for case, rows in self.rows.items()}
        return {"name": self.name, "times": self.times, "unit": self.unit, "rows": rows, "goals": goals, "notes": self.notes}


def alternate(report: Report, cases: list[Case]) -> None:
    """Every case once, then every case again: what else the machine does meets all of them alike."""
    for number in range(report.times):
        for case in cases:
            print(f"{report.name}: {case.name}, {number + 1} of {report.times}", file=sys.stderr, flush=True)
            report.rows.setdefault(case.name, []).append(dict(case.once()))


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Seconds of the block, under `total`."""
    found: dict[str, float] = {}
    begun = time.perf_counter()
    yield found
    found["total"] = time.perf_counter() - begun


def seeder(*words: str, cwd: Path = ROOT, **more: Any) -> subprocess.CompletedProcess[str]:
    """`seeder WORDS`; whatever fails ends the benchmark with what it said."""
    done = subprocess.run([sys.executable, "-m", "seeder", *words], cwd=cwd, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        sys.exit(f"seeder {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done


def run(*words: str, cwd: Path = ROOT, command: tuple[str, ...] = ("true",)) -> dict[str, float]:
    """A whole `seeder run`: its split, and `total` as the wall clock saw it."""
    folder = cwd / ".seeder/runs"
    before = set(folder.glob("*"))
    with clock() as found:
        seeder("run", *words, "--quiet", "--", *command, cwd=cwd)
    (mine,) = set(folder.glob("*")) - before
    return {**json.loads((mine / "result.json").read_text(encoding="utf-8"))["split"], **found}


def docker_answers() -> bool:
    return bool(shutil.which("docker")) and subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0


def machine() -> str:
    """On what it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"
