"""What is made ready before a stack's processes start."""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from seeder.definition.compose import read_stack
from seeder.definition.manifest import StackEntry
from seeder.errors import EnvironmentFailed, said_full
from seeder.machine import home, process
from seeder.passed.run import Run
from seeder.passed.target import Address
from seeder.registry import traits
from seeder.runtimes import _local_engine
from seeder.runtimes._local_deployment import LocalDeployment
from seeder.runtimes._local_root import guise

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
SERVERS = "services:\n  accounts: {image: 'postgres:17'}\n  cache: {image: 'redis/redis-stack:7'}\n"
PROGRAM = "services:\n  web:\n    image: x\n    x-seeder:\n      local:\n        command: [nodee]\n"


def test_a_program_that_is_not_there_is_told_by_the_service_and_its_line(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    compose = write({"compose.yaml": PROGRAM}) / "compose.yaml"
    stack = read_stack(StackEntry(name="small", compose=(compose,), version="1"), engines=traits(), environment={})
    run = Run("one", "p", "small", "local", home.run_folder("one"), tmp_path, NOON, 42, NOON)
    (run.folder / "logs").mkdir(parents=True)
    made = LocalDeployment(run, stack, lambda _: None, {})
    made.prepare({})
    with pytest.raises(EnvironmentFailed) as failed:
        made.start("web")
    assert str(failed.value).startswith(f"{compose}:6: web: local.command: program nodee is not there\n")


def test_a_full_disk_is_told_as_such_by_whatever_program_met_it() -> None:
    done = process.run(["sh", "-c", "cat /proc/version > /dev/full"], timeout=10, environment={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    full = said_full(done.output)
    assert full is not None
    assert "no space left on device" in str(full)
    assert "free space there; seeder keeps what runs below SEEDER_HOME" in str(full)
    assert said_full("no such file") is None


def test_what_goes_wrong_with_one_server_does_not_wait_for_another(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is with Ctrl-C, which comes while servers are prepared."""
    monkeypatch.setenv("SEEDER_HOME", str(tmp_path / "home"))
    compose = write({"compose.yaml": SERVERS}) / "compose.yaml"
    stack = read_stack(StackEntry(name="small", compose=(compose,), version="1"), engines=traits(), environment={})
    run = Run("one", "p", "small", "local", home.run_folder("one"), tmp_path, NOON, 42, NOON)
    run.folder.mkdir(parents=True)
    addresses = {("accounts", 5432): Address("127.0.0.1", 20001), ("cache", 6379): Address("127.0.0.1", 20002)}
    launch = _local_engine.launch(stack.services["accounts"], "postgres", None)
    prepared = home.cache() / "engines" / f"{_local_engine._key(launch, guise(launch, run.folder))}.lock"
    prepared.parent.mkdir(parents=True)
    held = filelock.FileLock(prepared, thread_local=False)
    late = threading.Timer(30, held.release)
    late.start()
    with held, pytest.raises(EnvironmentFailed, match="the embedded Valkey has no modules"):
        LocalDeployment(run, stack, lambda _: None, addresses).prepare({})
    assert late.is_alive()
    late.cancel()
