"""What a run writes down of itself."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.manifest import read_project
from seeder.definition.request import Request, resolve
from seeder.environment import identify
from seeder.errors import TimeLimit
from seeder.events import Progress, StageStarted
from seeder.evidence.story import Story
from seeder.order import each
from seeder.plan import make
from seeder.registry import RUNTIMES, traits
from tests.unit.test_plan import NOW

COMPOSE = """\
    services:
      web: {image: "python:3.13-slim", environment: {API_TOKEN: correct-horse}, x-seeder: {local: {command: [x]}}}
    """


@pytest.fixture
def story(shop: Any) -> Iterator[Story]:
    folder: Path = shop({"compose.yaml": COMPOSE})
    definition = resolve(read_project(folder / "manifest.yaml"), Request(stack="shop"), traits(), {})
    plan = make(definition, RUNTIMES.get("local"), "asked for", NOW)
    made = Story(identify(plan, datetime.timedelta(0)), plan, lambda _: None)
    yield made
    made.close()


def test_secrets_of_the_stack_are_in_no_part_of_the_result(story: Story) -> None:
    story.result.facts["variants"] = [{"variant": "late", "findings": ["notes: the token was correct-horse"]}]
    story.result.left = ("correct-horse stays",)
    told = story.so_far(story.folder)["variants"]
    story.close()
    written = (story.folder / "result.json").read_text()
    assert told == json.loads(written)["variants"] == [{"variant": "late", "findings": ["notes: the token was ***"]}]
    assert "correct-horse" not in written


def test_a_time_limit_names_all_that_is_under_way_and_nothing_that_is_at_its_end(story: Story) -> None:
    story.emit(StageStarted("load"))

    def step(name: str) -> None:
        for _ in range(50):
            story.emit(Progress("load", name, "making"))
            story.emit(Progress("load", name, "made", seconds=0.1))

    each([f"step-{number}" for number in range(8)], step)
    story.emit(Progress("load", "last", "making"))
    story.failed(TimeLimit("run", "took longer than 1 s"))
    assert story.result.message.endswith("under way: load: last making")
