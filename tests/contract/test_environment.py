"""An environment by itself: until when others leave it alone, and what is told of what hangs in it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from seeder import warden
from seeder.definition.request import Request, find_project, resolve
from seeder.definition.stack import Store
from seeder.environment import Environment, identify, open_environment
from seeder.errors import EnvironmentFailed, UsageError
from seeder.plan import choose, make
from seeder.registry import traits
from seeder.stages import up
from tests.fakes.world import check_swept

MANIFEST = """
seeder: "1"
project: alone
stacks: {alone: {compose: compose.yaml, version: "1"}}
"""
COMPOSE = """
services:
  migrate:
    image: python:3.13-slim
    x-seeder: {local: {command: ["{python}", -c, "import time; print('waiting for a lock', flush=True); time.sleep(600)"]}}
  web:
    image: python:3.13-slim
    depends_on: {migrate: {condition: service_completed_successfully}}
    x-seeder: {local: {command: ["{python}", -c, ""]}}
"""
SCENARIO = """
scenario: seen
version: "1"
stack: alone
act:
  seen: {eventually: {get: web, path: /orders/1, until: {status: paid}}}
outputs: {order: "${seen.id}"}
"""
TTL = datetime.timedelta(hours=24)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    for name, text in {"manifest.yaml": MANIFEST, "compose.yaml": COMPOSE}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "testdata/scenarios").mkdir(parents=True)
    (tmp_path / "testdata/scenarios/seen.yaml").write_text(SCENARIO)
    plan = make(resolve(find_project(tmp_path), Request(scenario="seen"), traits()), *choose("local"), datetime.datetime.now(datetime.UTC))
    with ExitStack() as undo:
        run = identify(plan, TTL)
        undo.callback(lambda: check_swept(warden.sweep(run.id, "local").left))
        opened = open_environment(run, plan, undo, lambda _: None)
        up.prepare(opened, plan)
        yield opened


def test_a_one_shot_that_hangs_is_told_with_what_it_said_last(environment: Environment) -> None:
    with pytest.raises(EnvironmentFailed, match="migrate: not ready after 1 s: it still runs") as failed:
        environment.run_service("migrate", within=1, remedy="")
    assert failed.value.log == "waiting for a lock"


def test_its_labels_outlive_its_time_to_live_also_when_that_begins_hours_later(environment: Environment) -> None:
    kept = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    assert environment.run.expires >= kept + TTL


def test_what_a_state_that_is_waited_for_gives_is_told_once_it_was_seen(environment: Environment) -> None:
    assert environment.scenario
    assert environment.scenario.outputs == {}
    environment.results["seen"] = {"id": 5, "status": "paid"}
    assert environment.scenario.outputs == {"order": 5}


def test_a_store_is_no_service_that_answers_http(environment: Environment) -> None:
    stack = environment.stack
    environment.plan = replace(
        environment.plan,
        definition=replace(environment.plan.definition, stack=replace(stack, stores={"web": Store("web", "web", "postgres")})),
    )
    with pytest.raises(UsageError, match="web: is a store \\(postgres\\), and answers no HTTP"):
        environment.http("web")
