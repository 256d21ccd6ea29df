"""Suites of users of the pytest plugin, in the small project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DATA

HEADING = re.compile(r"^_{2,} (?:ERROR at \w+ of )?(\S+) _{2,}$", re.MULTILINE)


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


def wrong(out: str) -> dict[str, str]:
    """What a session of tests says of each test that went wrong, by the test's name."""
    parts = HEADING.split(out.partition(" short test summary info ")[0])
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def home_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which no run of another test is. What can be made again is that of all: runs begin at layers that are there."""
    home, cache = folder / "home", Path(os.environ["SEEDER_HOME"]) / "cache"
    for one in (home, cache):
        one.mkdir(mode=0o700, exist_ok=True)
    (home / "cache").symlink_to(cache)
    monkeypatch.setenv("SEEDER_HOME", str(home))
    return home
