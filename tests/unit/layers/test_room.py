"""Who builds what is missing, which layers stay, and what goes: with layers in folders, as runs of the local runtime have them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from seeder.errors import EnvironmentFailed
from seeder.events import Event, Noticed
from seeder.layers.directory import Directory
from seeder.machine import home
from seeder.machine.folder import locked
from seeder.passed.layer import Layer
from seeder.passed.operation import Plan
from seeder.registry import RUNTIMES
from seeder.reuse import branch, cache, chain, room
from tests.scenarios.failing import change
from tests.unit.layers import changing

KEPT = {"db": "notes@1.0.0", "cache": "notes@1.0.0"}


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(home.VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv(cache.VARIABLE, "on")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    return tmp_path / "home"


def planned(project: Path) -> Plan:
    return cache.begin(changing.planned(project))


def build(plan: Plan, **facts: object) -> list[Layer]:
    """Keep every state that the plan would keep, as a run does."""
    source = home.cache().parent / "state"
    source.mkdir(exist_ok=True)
    return [
        Directory().keep(state.id, one.form, str(source), cache.told(plan, server) | facts)
        for server, one in plan.chains.items()
        for state in one.states
        if state.kept
    ]


def begins(plan: Plan) -> dict[str, str]:
    return {server: plan.chains[server].states[begin.place - 1].subject for server, begin in plan.begins.items()}


def run_folder() -> Path:
    folder = home.runs() / "one"
    folder.mkdir(exist_ok=True)
    return folder


def free(name: str) -> bool:
    """Whether another process could take the lock of a state now."""
    try:
        with filelock.FileLock(home.locks() / f"{name}.lock", is_singleton=False).acquire(timeout=0):
            return True
    except (filelock.Timeout, RuntimeError):
        return False


def test_who_planned_before_another_built_builds_nothing_and_keeps_nobody_waiting(project: Path) -> None:
    plan = planned(project)
    assert begins(plan) == {}
    build(plan)
    with cache.turn(plan, run_folder(), lambda _: None) as now:
        assert begins(now) == KEPT
        assert cache.to_keep(now) == set()
        assert all(free(name) for name in cache.to_keep(plan))


def test_who_builds_holds_the_locks_meanwhile(project: Path) -> None:
    plan = planned(project)
    with cache.turn(plan, run_folder(), lambda _: None) as now:
        assert cache.to_keep(now) == cache.to_keep(plan)
        assert not any(free(name) for name in cache.to_keep(plan))
    assert all(free(name) for name in cache.to_keep(plan))


def test_a_layer_that_went_after_the_plan_is_built_again(project: Path) -> None:
    build(planned(project))
    plan = planned(project)
    assert begins(plan) == KEPT
    room.remove(plan.begins[server].layer for server in ("db",))
    with cache.turn(plan, run_folder(), lambda _: None) as now:
        assert begins(now) == {"db": "0002_pinned", "cache": KEPT["cache"]}
        assert cache.to_keep(now) == {now.chains["db"].end}
        assert not free(now.chains["db"].end)


def test_files_are_read_and_git_is_asked_while_others_may_use_layers(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, free_then = planned(project), list[bool]()

    def seen(work: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any) -> Any:
            with filelock.FileLock(home.cache() / "layers.lock", is_singleton=False).acquire(timeout=0):
                free_then.append(True)
            return work(*given)

        return do

    monkeypatch.setattr(chain, "of", seen(chain.of))
    monkeypatch.setattr(branch, "default", seen(branch.default))
    with cache.turn(plan, run_folder(), lambda _: None):
        assert len(free_then) == 2


def test_who_waits_for_layers_is_told_why_and_not_for_ever(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STILL_SECONDS", 0.05)
    with filelock.FileLock(home.cache() / "layers.lock", is_singleton=False), pytest.raises(EnvironmentFailed) as late, room.still():
        pass
    assert "another seeder removes layers" in str(late.value)
    with room.still():
        pass


def test_what_a_run_begins_at_is_never_pruned(project: Path) -> None:
    build(planned(project))
    with cache.turn(planned(project), run_folder(), lambda _: None):
        gone = room.prune(-1)
    assert [layer.facts["server"] for layer in gone] == ["db"]  # what it does not begin at
    assert begins(planned(project)) == KEPT


def test_a_server_that_was_made_without_secrets_fits_no_stack_that_has_some(project: Path) -> None:
    for layer in build(planned(project), salt=""):
        assert not layer.facts["salt"]
    assert begins(planned(project)) == {"cache": KEPT["cache"]}


def test_what_another_secret_does_not_fit_is_replaced(project: Path) -> None:
    build(planned(project))
    changing.other_secret(project)
    changed = planned(project)
    assert begins(changed) == {"cache": KEPT["cache"]}
    build(changed)
    assert begins(planned(project)) == KEPT


def test_a_store_that_a_service_migrated_with_another_secret_is_made_anew(project: Path) -> None:
    change(project, "compose.yaml", "{sql: migrations}", "{service: prepare, inputs: [migrations]}")
    change(project, "manifest.yaml", ', db: "0002.."', "")
    service = "  prepare: {image: 'python:3.13-slim', environment: {FIRST_USER_PASSWORD: one}, x-seeder: {local: {command: ['true']}}}\n"
    change(project, "compose.yaml", "  cache:\n", f"{service}  cache:\n")
    build(planned(project))
    assert set(begins(planned(project))) == {"db", "cache"}
    change(project, "compose.yaml", "FIRST_USER_PASSWORD: one", "FIRST_USER_PASSWORD: two")
    assert set(begins(planned(project))) == {"cache"}


def test_a_set_is_forgotten_with_all_that_is_in_it(project: Path) -> None:
    plan = planned(project)
    others = build(plan)
    for part in ("a", "b"):
        Directory().keep(part * 64, "portable", others[0].place, {"set": "w"})
    room.forget("w", ["directory"])
    assert sorted(layer.key for layer in room.every(["directory"])) == sorted(layer.key for layer in others)


def test_everything_goes_means_empty_layers_too(project: Path) -> None:
    assert {layer.size for layer in build(planned(project))} == {0}
    assert len(room.excess(0)) == 0
    assert len(room.excess(-1)) == 3


def test_what_killed_processes_left_goes_with_the_next_layer_and_what_is_being_made_stays(project: Path) -> None:
    folder = home.cache() / "layers"
    (folder / ".old.portable.1.aa" / "state").mkdir(parents=True)
    (folder / ".old.portable.gone.bb").mkdir()
    (folder / ".new.portable.1.cc").mkdir()
    for name in (".old.portable.1.aa", ".old.portable.gone.bb"):
        os.utime(folder / name, (time.time() - 7200, time.time() - 7200))
    build(planned(project))
    assert [path.name for path in folder.glob(".*")] == [".new.portable.1.cc"]


def test_locks_that_nobody_holds_are_removed_after_a_day(own_home: Path) -> None:
    for name in ("held", "old", "new"):
        (home.locks() / f"{name}.lock").touch()
    for name in ("held", "old"):
        os.utime(home.locks() / f"{name}.lock", (time.time() - 90000, time.time() - 90000))
    descriptor = os.open(home.locks() / "held.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as another process would
        room.prune(0)
    finally:
        os.close(descriptor)
    assert sorted(path.stem for path in home.locks().glob("*.lock")) == ["held", "new"]


def test_that_no_room_can_be_made_is_told_and_fails_nothing(project: Path) -> None:
    (home.cache() / "layers.lock").mkdir()
    told: list[Event] = []
    cache.make_room(planned(project), told.append)
    assert [type(event) for event in told] == [Noticed]


def test_what_embedded_engines_have_ready_goes_when_nobody_used_it_or_runs_from_it(own_home: Path) -> None:
    engines = home.cache() / "engines"
    for name in ("old", "new", "running"):
        with locked(engines / name):
            (engines / name).mkdir()
    program = shutil.copy(shutil.which("sleep") or "", engines / "running/sleep")
    child = subprocess.Popen([program, "60"])
    try:
        for name in ("old", "running"):
            os.utime(engines / f"{name}.lock", (time.time() - 8 * 86400,) * 2)
        assert room.forget_built(room.stale()) == [str(engines / "old")]
        with pytest.raises(EnvironmentFailed):
            RUNTIMES.get("local").forget(str(engines / "running"))
    finally:
        child.kill()
        child.wait()
    assert sorted(path.name for path in engines.iterdir()) == ["new", "new.lock", "running", "running.lock"]
    with locked(engines / "running"):
        pass
    assert room.forget_built(room.stale()) == []


def test_layers_of_one_stack_or_project_go_alone(project: Path) -> None:
    plan = planned(project)
    build(plan, project="other", stack="small")
    assert room.excess(-1, of={"project": plan.definition.manifest.project}) == []
    assert len(room.excess(-1, of={"stack": "small"})) == len(room.prune(-1, of={"stack": "small", "project": "other"})) > 0
    assert room.every() == []
