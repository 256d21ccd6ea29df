"""Suites of users of the pytest plugin, in the small project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import DATA


def suite(folder: Path, text: str, **files: str) -> Path:
    """The small project with a file of tests in it, and others by their names."""
    made: Path = shutil.copytree(DATA / "small", folder / "small")
    (made / "test_suite.py").write_text(text)
    for name, content in files.items():
        (made / name).write_text(content)
    return made


def command(*words: str, runtime: str = "local", scenario: str = "ready") -> list[str]:
    asked = ["--seeder-scenario", scenario, "--seeder-runtime", runtime]
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked, *words]


def surroundings(**variables: str) -> dict[str, str]:
    """Without what the pytest around it says."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | variables


def run(folder: Path, *words: str, runtime: str = "local", scenario: str = "ready", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words, runtime=runtime, scenario=scenario),
        cwd=folder,
        env=surroundings(**variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
