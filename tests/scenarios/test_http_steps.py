"""Teams in other languages take part: a capability of a Python program and one of a Node program make the state of one scenario, and each
reaches what it was told of where it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.scenarios.cases import RUNTIMES, product
from tests.scenarios.failing import proper
from tests.scenarios.seeder import seeder
from tests.scenarios.test_layers import did, named

ENDPOINTS = Path(__file__).parents[1] / "data/endpoints"
SERVICES = """
services:
  writer:
    image: python:3.13-slim
    command: ["python3", "/srv/notes.py", "0.0.0.0", "8000"]
    volumes: ["./endpoints:/srv:ro"]
    expose: ["8000"]
    x-seeder:
      local: {command: ["{python}", "endpoints/notes.py", "{host}", "{port:8000}"]}
      ready: {http: /}
  scribe:
    image: node:24-slim
    command: ["node", "/srv/notes.mjs", "0.0.0.0", "8000"]
    volumes: ["./endpoints:/srv:ro"]
    expose: ["8000"]
    x-seeder:
      local: {command: ["node", "endpoints/notes.mjs", "{host}", "{port:8000}"]}
      ready: {http: /}
"""
SCENARIO = """
scenario: others
version: "1.0.0"
stack: small
data: [kinds]
steps:
  first: {use: notes.write, with: {how: well}}
  second: {use: SECOND, with: {how: unknown, body: "after ${first.id}"}}
outputs: {first: "${first}", second: "${second}"}
"""


@pytest.fixture
def folder(project, tmp_path: Path) -> Path:
    folder = named(project("small"), f"http-{tmp_path.name}")
    shutil.copytree(ENDPOINTS, folder / "endpoints")
    (folder / "compose.others.yaml").write_text(SERVICES)
    manifest = folder / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("compose: [compose.yaml]", "compose: [compose.yaml, compose.others.yaml]"))
    written = (ENDPOINTS / "notes.yaml").read_text()
    (folder / "generators").mkdir()
    (folder / "generators/notes.yaml").write_text(written)
    theirs = (
        written.replace("notes.write", "letters.write").replace("service: writer", "service: scribe").replace("notes-team", "letters-team")
    )
    (folder / "generators/letters.yaml").write_text(theirs)
    return folder


@product("runtime", RUNTIMES, some=[["local"]])
def test_programs_in_any_language_make_the_state(folder, runtime):
    """On docker Python alone, where it reaches the service by its name in their network: the other's image is not on every machine."""
    if runtime == "local" and shutil.which("node") is None:
        pytest.skip("there is no node on this machine")
    second, services = ("letters.write", "web,writer,scribe") if runtime == "local" else ("notes.write", "web,writer")
    (folder / "testdata/scenarios/others.yaml").write_text(SCENARIO.replace("SECOND", second))
    words = ("--scenario", "others", "--services", services, "--runtime", runtime, "--", "sh", "-c", "env | grep SEEDER_OUTPUT | sort")
    first = seeder("run", "small", *words, cwd=folder, SEEDER_CACHE="on")
    proper(first, 0)
    said = [json.loads(line.partition("=")[2]) for line in first.out.splitlines()]
    assert [one["id"] for one in said] == ([1, 1] if runtime == "local" else [1, 2])
    assert said[1]["body"].startswith(f"after {said[0]['id']} note-")
    assert [one["seen"] for one in said] == ["ok", "ok"]
    again = seeder("run", "small", *words, cwd=folder, SEEDER_CACHE="on")
    assert again.out == first.out, again.err
    assert did(folder, "load", "made") == []


def test_a_plan_refuses_to_ask_who_does_not_take_part(folder):
    (folder / "testdata/scenarios/others.yaml").write_text(SCENARIO.replace("SECOND", "letters.write"))
    refused = seeder("plan", "small", "--scenario", "others", "--services", "db", "--runtime", "local", cwd=folder)
    proper(refused, 2, "steps.first: notes.write is asked of writer, which is not part of this run", "others.yaml:7", "others.yaml:8")
