"""What all tests share: where projects come from, a home of their own, and whether Docker is there."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from seeder.cli import main
from tests.scenarios.cases import EVERY

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent
REQUIRED = os.environ.get("SEEDER_TEST_DOCKER") == "required"


@functools.cache
def docker_answers() -> bool:
    """Whether a Docker engine and compose v2 can be used from here."""
    if not shutil.which("docker"):
        return False
    try:
        for command in (["docker", "version"], ["docker", "compose", "version"]):
            subprocess.run(command, capture_output=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Docker tests are skipped where no engine answers, all from this line so that one line tells it; SEEDER_TEST_DOCKER=required
    lets them fail instead."""
    if item.get_closest_marker("docker") and not REQUIRED and not docker_answers():
        pytest.skip("no Docker engine answers")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Unless every case is asked for, what is marked `one_runtime` stays on the runtime that needs no Docker, and `acceptance` is left
    out. What is `long` begins first, so that no worker is alone with it at the end."""
    away = set() if EVERY else {item for item in items if item.get_closest_marker("acceptance") or _on_another_runtime(item)}
    config.hook.pytest_deselected(items=list(away))
    items[:] = sorted((item for item in items if item not in away), key=lambda item: item.get_closest_marker("long") is None)


def _on_another_runtime(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("one_runtime") and item.get_closest_marker("docker"))


def pytest_configure() -> None:
    """A signal that is ignored here (by nohup, or a shell's `&`) would be ignored by all that tests start; one that is caught is not."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_report_header() -> str:
    if docker_answers():
        return "docker: an engine answers, Docker tests run"
    return f"docker: no engine answers, Docker tests {'fail (SEEDER_TEST_DOCKER=required)' if REQUIRED else 'are skipped'}"


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A SEEDER_HOME of this test run's own, shared by its workers as a machine's users share theirs."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "home"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["SEEDER_HOME"] = str(folder)
    os.environ.setdefault("SEEDER_CACHE", "off")  # most tests look at what is done, which layers would spare; test_layers goes with them
    return folder


def copied_shop(at: Path) -> Path:
    """The example of this repository as it is written down, to be changed; in a folder that is there."""
    for name in ("stacks", "testdata"):
        shutil.copytree(ROOT / name, at / name, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    shutil.copy(ROOT / "manifest.yaml", at)
    return at


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Runs a command line in a folder, in this process; answers its code, what it printed and what it said beside that."""

    def run(folder: Path, line: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def project(tmp_path: Path):
    """Copies a project of tests/data and answers its folder."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(DATA / name, tmp_path / name))

    return copy
