"""What every benchmark shares: cases that take turns, medians and their spread, a table in Markdown and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# `python -m seeder`, which says at its end how much it computed.
ACCOUNTED = """
import atexit, resource
from seeder.cli import main
atexit.register(lambda: print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])))
main()
"""
SHOP = ("shop", "--scenario", "checkout-ready")


@dataclass(frozen=True)
class Case:
    """One thing that is measured: `once` answers its seconds, with a split of them if there is one."""

    name: str
    once: Callable[[], Mapping[str, float]]


@dataclass
class Goal:
    """`measured` is to be at most `most` times `against` (both names of cases), or without that at most `most` itself. `column`: in
    which; the report's main one when none is said. `beside`: in which `against` is meant, where that is another one."""

    says: str
    measured: str
    against: str | None
    most: float
    column: str = ""
    beside: str = ""


@dataclass
class Report:
    """What came of a benchmark: column -> values of each case, and goals beside it."""

    name: str
    times: int
    unit: str = "s"
    main: str = "total"  # the column that counts: the last one, told with its spread
    rows: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def median(self, case: str, column: str) -> float:
        return statistics.median(row.get(column, 0.0) for row in self.rows[case])

    def columns(self) -> list[str]:
        """In the order in which they were found, without those in which there is nothing to see, the main one last."""
        found = dict.fromkeys(column for rows in self.rows.values() for row in rows for column in row if column != self.main)
        return [*(column for column in found if any(self.median(case, column) >= self._least / 2 for case in self.rows)), self.main]

    @property
    def _digits(self) -> int:
        return 1 if self.unit == "ms" else 2

    @property
    def _least(self) -> float:
        """What a table still shows."""
        return float(10**-self._digits)

    def text(self) -> str:
        columns = self.columns()
        lines = [f"| {self.name}, {self.unit} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for case, rows in self.rows.items():
            cells = [self._cell([row[c] for row in rows if c in row], spread=c == self.main) for c in columns]
            lines.append(f"| {case} | " + " | ".join(cells) + " |")
        lines += ["", *(self._told(goal) for goal in self.goals), *(f"- {note}" for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def _cell(self, values: list[float], *, spread: bool) -> str:
        if not values:
            return ""
        least, middle, most = (f"{value:.{self._digits}f}" for value in (min(values), statistics.median(values), max(values)))
        return f"{middle} ({least} to {most})" if spread and len(values) > 1 else middle

    def reached(self, goal: Goal) -> float:
        column = goal.column or self.main
        return self.median(goal.measured, column) / (self.median(goal.against, goal.beside or column) if goal.against else 1)

    def _told(self, goal: Goal) -> str:
        reached = self.reached(goal)
        of = f" of {goal.beside} of" if goal.beside else " of"
        of = f"{of} `{goal.against}`" if goal.against else f" {self.unit}"
        return f"- {goal.says}: {reached:.2f}{of}, {'met' if reached <= goal.most else 'NOT met'} (at most {goal.most:g})"

    def lines(self) -> Iterator[str]:
        """A row of the summary for each goal."""
        for goal in self.goals:
            column = goal.column or self.main
            measured = f"{goal.says}: {self._value(goal.measured, column)}"
            beside = f"{goal.against}: {self._value(goal.against, goal.beside or column)}" if goal.against else ""
            ratio, most = (f"{self.reached(goal):.2f}", f"{goal.most:g}") if goal.against else ("", f"{goal.most:g} {self.unit}")
            met = "yes" if self.reached(goal) <= goal.most else "**no**"
            yield f"| {self.name} | {measured} | {beside} | {ratio} | {most} | {met} |"

    def _value(self, case: str, column: str) -> str:
        return f"{self.median(case, column):.{self._digits}f} {self.unit}"

    def as_json(self) -> dict[str, Any]:
        goals = [{**vars(goal), "reached": round(self.reached(goal), 4), "met": self.reached(goal) <= goal.most} for goal in self.goals]
        rows = {case: [dict(row) for row in rows] for case, rows in self.rows.items()}
        told = {"name": self.name, "times": self.times, "unit": self.unit, "main": self.main}
        return {**told, "rows": rows, "goals": goals, "notes": self.notes}


def summary(reports: list[Report]) -> str:
    """Every goal in one table."""
    heads = ["benchmark", "measured", "beside", "ratio", "at most", "met"]
    rows = [line for report in reports for line in report.lines()]
    return "\n".join(["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|", *rows]) + "\n"


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


def seeder(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`seeder WORDS`; whatever fails ends the benchmark with what it said."""
    return _done(words, [sys.executable, "-m", "seeder", *words], cwd)


def _done(words: Sequence[str], command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    done = ended(command, cwd)
    if done.returncode:
        sys.exit(f"seeder {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done


def ended(command: Sequence[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run to its end. When the benchmark is ended meanwhile the program is, too, as by Ctrl-C: it may have servers to end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, env={**os.environ, **environment}, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            told, wrong = child.communicate()
        except BaseException:
            child.send_signal(signal.SIGINT)
            child.communicate()
            raise
    return subprocess.CompletedProcess(command, child.returncode, told, wrong)


def run(*words: str, cwd: Path = ROOT) -> dict[str, float]:
    """A whole `seeder run`: its split, and `total` as the wall clock saw it."""
    return provided(*words, cwd=cwd).seconds


@dataclass(frozen=True)
class Provided:
    """What one run took: `seconds` by stage, with `plan` for all that comes before the first (Python's start, too); `processor` those
    that seeder's own process computed. `journal` is what it wrote of itself."""

    seconds: dict[str, float]
    processor: float
    journal: list[dict[str, Any]]


def provided(*words: str, cwd: Path = ROOT) -> Provided:
    words = ("run", *words, "--quiet", "--", "printenv", "SEEDER_RUN")
    with clock() as found:
        done = _done(words, [sys.executable, "-c", ACCOUNTED, *words], cwd)
    told, processor = done.stdout.split()
    folder = cwd / ".seeder/runs" / told
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    journal = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    before = found["total"] - result["seconds"]
    return Provided({"plan": before, **result["split"], **found}, float(processor), journal)


@contextmanager
def shop() -> Iterator[Path]:
    """A copy of the example that may be changed."""
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        for name in ("stacks", "testdata"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        shutil.copy(ROOT / "manifest.yaml", folder)
        yield Path(folder)


def docker_answers() -> bool:
    return bool(shutil.which("docker")) and subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0


def machine() -> str:
    """On what it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"
