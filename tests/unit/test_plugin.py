"""What the pytest plugin tells without any environment: which one it would ask for, and who sleeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.scenarios.suites import surroundings

SLEEPS = """
import threading
import time

def test_sleeps():
    time.sleep(0.01)

def test_waits():
    from seeder.wait import READY, not_yet, wait_for  # first imported here: its pause is the one that is counted

    looks = iter([not_yet("not there"), READY])
    wait_for("it", lambda: next(looks), within=5)

def test_beside():
    beside = threading.Thread(target=time.sleep, args=[0.01])
    beside.start()
    beside.join()
"""


def pytest_in(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, text=True, timeout=60, check=False).stdout


def test_the_header_tells_which_environment_is_meant(tmp_path: Path) -> None:
    """A project counts from the ini file; the command line goes before it."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "pytest.ini").write_text("[pytest]\nseeder_scenario = ready\nseeder_project = ../mine\n")
    assert f"seeder: scenario ready, project {tmp_path}/mine\n" in pytest_in(tmp_path / "suite")
    said = pytest_in(tmp_path / "suite", "--seeder-project=other", "--seeder-runtime=local")
    assert f"seeder: scenario ready, runtime local, project {tmp_path}/suite/other\n" in said
    assert "seeder:" not in pytest_in(tmp_path, "-c", "/dev/null")


def test_only_tests_sleep(tmp_path: Path) -> None:
    """What seeder waits for them, and what threads beside them do, is not theirs."""
    (tmp_path / "test_it.py").write_text(SLEEPS)
    said = pytest_in(tmp_path, "--seeder-report-sleeps")
    assert "3 passed" in said
    assert "test_sleeps slept" in said
    assert "test_waits slept" not in said
    assert "test_beside slept" not in said
