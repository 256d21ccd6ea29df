"""The time of a cold `seeder run` of the shop on both runtimes, split by stage, beside bare `docker compose up --wait` of the same file.

Prints a Markdown table of medians. Images and the shop's own build are there before the clock starts, for both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ["docker", "compose", "-f", str(ROOT / "stacks/shop/compose.yaml"), "-p", f"seeder-bench-{os.getpid()}"]
STAGES = ("images", "start", "migrate", "load", "gate", "digest", "command", "teardown")


def seeder(runtime: str, scenario: list[str]) -> dict[str, float]:
    """One run's split in seconds, with `total` as the wall clock saw it."""
    before = set((ROOT / ".seeder/runs").glob("*")) if (ROOT / ".seeder/runs").exists() else set()
    begun = time.monotonic()
    command = [sys.executable, "-m", "seeder", "run", "shop", *scenario, "--runtime", runtime, "--quiet", "--", "true"]
    subprocess.run(command, cwd=ROOT, check=True)
    total = time.monotonic() - begun
    (mine,) = set((ROOT / ".seeder/runs").glob("*")) - before
    return {**json.loads((mine / "result.json").read_text())["split"], "total": total}


def compose() -> dict[str, float]:
    """`up --wait` and `down -v` of the plain file: migrations by its one-shots, no data."""
    begun = time.monotonic()
    try:
        subprocess.run([*COMPOSE, "up", "--wait", "--quiet-pull"], check=True, capture_output=True)
        up = time.monotonic() - begun
    finally:
        begun = time.monotonic()
        subprocess.run([*COMPOSE, "down", "-v"], check=True, capture_output=True)
    down = time.monotonic() - begun
    return {"start": up, "teardown": down, "total": up + down}


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run.get(name, 0.0) for run in runs) for name in (*STAGES, "total")}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=3)
    times = options.parse_args().times
    scenario = ["--scenario", "checkout-ready"]
    rows: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="seeder-bench-") as home:
        os.environ["SEEDER_HOME"] = home  # nothing prepared before: the first local run is cold in every sense
        rows["local, first ever"] = [seeder("local", scenario)]
        rows["local"] = [seeder("local", scenario) for _ in range(times)]
        if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0:
            subprocess.run([*COMPOSE, "build", "--quiet"], check=True, capture_output=True)
            seeder("docker", scenario)  # builds the image under seeder's own name
            rows["docker"] = [seeder("docker", scenario) for _ in range(times)]
            rows["docker compose up --wait, no data"] = [compose() for _ in range(times)]
    print(f"seconds, medians of {times}\n")
    print("| | " + " | ".join((*STAGES, "total")) + " |")
    print("|---" * (len(STAGES) + 2) + "|")
    for name, runs in rows.items():
        row = median(runs)
        print(f"| {name} | " + " | ".join(f"{row[s]:.1f}" if row[s] else "" for s in (*STAGES, "total")) + " |")


if __name__ == "__main__":
    main()
