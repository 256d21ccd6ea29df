"""ci/bench [NAME]... [--times N] [--quick] [--json FILE]: measures each against references in the same run, and prints tables."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import change, reset, start, suite
from benchmarks.measure import Report, docker_answers, machine

RUNTIMES = ["local", *(["docker"] if docker_answers() else [])]
ALL: dict[str, Callable[[int, bool], list[Report]]] = {
    "start": lambda times, _: [report for report in [start.docker(times)] if report],
    "start-local": lambda times, _: [start.local(times)],
    "new-migration": lambda times, _: [change.new_migration(times, runtime) for runtime in RUNTIMES],
    "reset": lambda times, quick: reset.both(times if quick else times * 10, docker="docker" in RUNTIMES),
    "parallel": lambda times, quick: [change.parallel(1 if quick else times, 2 if quick else 8)],
    "suite": lambda times, quick: [suite.suite(1 if quick else times, 5 if quick else 200, 1 if quick else 10)],
}


def main() -> None:
    options = argparse.ArgumentParser(prog="ci/bench", description=__doc__)
    options.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=", ".join(ALL))
    options.add_argument("--times", type=int, default=5, help="how often each case takes its turn")
    options.add_argument("--quick", action="store_true", help="once and small: shows that it runs, and measures nothing")
    options.add_argument("--json", type=Path, metavar="FILE", help="write every value there too")
    given = options.parse_args()
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as home:
        os.environ["SEEDER_HOME"] = home  # nothing is prepared before
        for name in given.names or ALL:
            for report in ALL[name](1 if given.quick else given.times, given.quick):
                print(report.text(), flush=True)
                reports.append(report)
    print(f"Medians of {1 if given.quick else given.times} (least to most), cases taking turns, on {machine()}.")
    if given.json:
        given.json.write_text(
            json.dumps({"machine": machine(), "reports": [one.as_json() for one in reports]}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
