"""ci/bench [NAME]... [--times N] [--quick] [--json FILE]: measures each against references in the same run, and prints tables."""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import change, database, graph, proxy, reset, services, size, start, suite
from benchmarks.measure import Report, docker_answers, machine, summary
from seeder.reuse import room


@functools.cache
def runtimes() -> list[str]:
    """Those that are here."""
    return ["local", *(["docker"] if docker_answers() else [])]


ALL: dict[str, Callable[[int, bool], Iterable[Report]]] = {  # each report as soon as it is there
    "start": lambda times, _: [report for report in [start.docker(times)] if report],
    "start-local": lambda times, _: [start.local(times)],
    "new-migration": lambda times, _: (change.new_migration(times, runtime) for runtime in runtimes()),
    "reset": lambda times, quick: reset.both(times if quick else times * 10, runtimes()),
    "database": lambda times, quick: database.database(times, 5 if quick else 300),
    "parallel": lambda times, quick: [change.parallel(1 if quick else times, 2 if quick else 8)],
    "size": lambda times, quick: (size.size(times, runtime, size.TINY if quick else size.SIZES) for runtime in runtimes()),
    "services": lambda times, quick: (services.services(times, runtime, *((2, 1) if quick else (16, 8))) for runtime in runtimes()),
    "graph": lambda times, quick: [graph.graph(times, 20 if quick else 2000)],
    "proxy": lambda times, quick: proxy.proxy(times, quick=quick),
    "suite": lambda times, quick: [suite.suite(1 if quick else times, 5 if quick else 200, 1 if quick else 10)],
}


def main() -> None:
    options = argparse.ArgumentParser(prog="ci/bench", description=__doc__)
    options.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=", ".join(ALL))
    options.add_argument("--times", type=int, default=5, help="how often each case takes its turn")
    options.add_argument("--quick", action="store_true", help="once and small: shows that it runs, and measures nothing")
    options.add_argument("--json", type=Path, metavar="FILE", help="write every value there too")
    given = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # references are ended and removed then, too
    times = 1 if given.quick else given.times
    reports: list[Report] = []
    for name in given.names or ALL:
        with own_home():
            for report in ALL[name](times, given.quick):
                print(report.text(), flush=True)
                reports.append(report)
    print(summary(reports))
    print(f"Medians of {times} (least to most), cases taking turns, on {machine()}.")
    if given.json:
        told = {"machine": machine(), "reports": [one.as_json() for one in reports]}
        given.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


@contextmanager
def own_home() -> Iterator[None]:
    """Nothing is prepared before, and nothing stays: neither layers nor images that were made from there."""
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as folder:
        os.environ["SEEDER_HOME"] = folder
        try:
            yield
        finally:
            room.prune(0, own=True)
            room.forget_built(datetime.datetime.now(datetime.UTC))


if __name__ == "__main__":
    main()
