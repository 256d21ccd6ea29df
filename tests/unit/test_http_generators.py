"""Generators behind HTTP: a program in another language takes part, and says by its answers what came of a try."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from seeder import registry
from seeder.definition.compose import read_stack
from seeder.definition.manifest import read_project
from seeder.definition.schema import schema
from seeder.definition.stack import Stack
from seeder.definition.yaml import load
from seeder.errors import DefinitionError
from seeder.passed.capability import Asked
from seeder.passed.run import Run
from seeder.promises.shape import mistakes
from seeder.protocols import Generator, Undoes, World
from seeder.registry import traits
from seeder.steps.asking import ask
from seeder.steps.tried import Tried
from tests.fakes.answering import answering

DATA = Path(__file__).resolve().parents[1] / "data"
NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)
LANGUAGES = {"python": (sys.executable, "notes.py"), "node": ("node", "notes.mjs")}


def stack(folder: Path, text: str) -> Stack:
    (folder / "generators").mkdir(exist_ok=True)
    (folder / "generators/notes.yaml").write_text(text)
    found = read_stack(read_project(DATA / "small/manifest.yaml").stacks["small"], environment={}, engines=traits())
    return replace(found, project_dir=folder)


def declared(**changes: str) -> str:
    text = (DATA / "endpoints/notes.yaml").read_text()
    for key, line in {"service": "url: ${WRITER}", **changes}.items():
        (before,) = [one for one in text.splitlines() if one.strip().startswith(f"{key}:")]
        text = text.replace(before, f"    {line}" if line else "")
    return text


class Somewhere:
    """A world without an environment: endpoints are outside of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.run = Run("r", "p", "small", "local", Path(), Path(), NOON, 42, NOON)


@pytest.fixture(params=LANGUAGES)
def endpoint(request) -> Iterator[str]:
    program, file = LANGUAGES[request.param]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on this machine")
    with subprocess.Popen([program, DATA / "endpoints" / file, "127.0.0.1", "0"], stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def asked(stack: Stack, given: Mapping[str, Any], step: str = "first") -> Tried:
    generator = registry.generators(stack)["notes.write"]
    return ask(cast("World", Somewhere(stack)), cast("Generator", generator), Asked(step), given)


CASES = {
    "well": ("confirmed", ""),
    "later": ("confirmed", ""),
    "unknown": ("confirmed", ""),
    "never": ("failed", "the year is closed: 2025 takes no notes"),
    "dependency": ("failed", "the tax office: it does not answer"),
    "nonsense": ("unknown", "its answer is not as it declares it: id: 'none' is not of type 'integer'"),
}


@pytest.mark.parametrize("how", CASES)
def test_a_program_says_by_its_answer_what_came_of_a_try(tmp_path, monkeypatch, endpoint, how):
    monkeypatch.setenv("WRITER", endpoint)
    found = asked(stack(tmp_path, declared(addresses="")), {"how": how})
    state, reason = CASES[how]
    assert (found.state, reason in found.reason) == (state, True), found
    if state == "confirmed":
        assert found.made == {"id": 1, "body": "hello note-q3bxvo4egd first", "seen": None}  # made once, however often it was asked
    assert found.blame == ("the tax office" if how == "dependency" else "")


def test_what_an_earlier_try_made_is_looked_for_where_there_is_no_key(tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("WRITER", endpoint)
    found = asked(stack(tmp_path, declared(addresses="", key="find: /find")), {"how": "unknown"})
    assert (found.state, found.made["id"]) == ("confirmed", 1)


class Recording(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None, bytes]]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["Idempotency-Key"], body))
        answer = json.dumps({"outputs": {"id": 1, "body": ""}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def test_what_an_earlier_try_made_is_looked_for_with_the_request_that_made_it(tmp_path, monkeypatch):
    Recording.asked.clear()
    with answering(Recording) as port:
        monkeypatch.setenv("WRITER", f"http://127.0.0.1:{port}")
        of = stack(tmp_path, declared(addresses="find: /find"))
        assert asked(of, {"how": "well"}).state == "confirmed"
        registry.generators(of)["notes.write"].find(cast("World", Somewhere(of)), Asked("first"), {"how": "well"})
    (made, *first), (found, *second) = Recording.asked
    assert (made, found, first) == ("/write", "/find", second)
    assert first[0].startswith("note-")


def test_what_was_made_is_taken_back_also_where_it_is_gone_already(tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("WRITER", endpoint)
    of = stack(tmp_path, declared(addresses="undo: /undo", key="find: /find"))
    made = asked(of, {"how": "well"}).made
    generator, world = registry.generators(of)["notes.write"], cast("World", Somewhere(of))
    assert isinstance(generator, Undoes)
    assert generator.find(world, Asked("first"), {"how": "well"}) == made
    generator.undo(world, Asked("first"), made)
    generator.undo(world, Asked("first"), made)
    assert generator.find(world, Asked("first"), {"how": "well"}) is None


def test_without_a_key_nobody_asks_again_when_nobody_knows(tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("WRITER", endpoint)
    found = asked(stack(tmp_path, declared(addresses="", key="")), {"how": "unknown"})
    assert (found.state, found.reason) == ("unknown", "POST /write was answered with 503: who knows")


def test_inputs_that_are_not_as_declared_are_never_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("WRITER", "http://127.0.0.1:9")
    found = asked(stack(tmp_path, declared(addresses="")), {"how": "well", "colour": "red"})
    assert (found.state, found.again) == ("failed", None)
    assert "colour" in found.reason


def test_a_capability_whose_address_is_not_set_is_known_and_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.delenv("WRITER", raising=False)
    one = registry.generators(stack(tmp_path, declared(addresses="")))["notes.write"].capability
    assert one.lacks == "${WRITER} is no address once its variables are filled in: set them"
    monkeypatch.setenv("WRITER", "ann:correct-horse@elsewhere")
    assert "correct-horse" not in registry.generators(stack(tmp_path, declared(addresses="")))["notes.write"].capability.lacks
    monkeypatch.setenv("WRITER", "http://elsewhere.example")
    one = registry.generators(stack(tmp_path, declared()))["notes.write"].capability
    assert one.lacks == "it is told addresses of this machine, which elsewhere.example does not reach"
    assert not one.known


BROKEN = {
    "service: writr\n    path: /write": (8, "notes.write.service", "stack small has no service writr"),
    "service: db\n    path: /write": (8, "notes.write.service", "db is a store (postgres), and answers no HTTP"),
    "service: web\n    path: write": (9, "generators.notes.write.path", "'write' is no path of a service"),
    "path: /write": (4, "generators.notes.write", "needs exactly one of service, url"),
    "service: web\n    path: /write\n    adresses: [web]": (10, "generators.notes.write.adresses", "there is no such key here"),
    "service: web\n    path: /write\n    unique: note": (10, "generators.notes.write.unique", "a list is needed, not text"),
}


@pytest.mark.parametrize("lines", BROKEN)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path, lines):
    text = (
        (DATA / "endpoints/notes.yaml").read_text().replace("service: writer\n    path: /write", lines).replace("    unique: [note]\n", "")
    )
    with pytest.raises(DefinitionError) as raised:
        registry.generators(stack(tmp_path, text))
    line, subject, cause = BROKEN[lines]
    (problem,) = raised.value.problems
    assert (problem.mark.line, problem.subject) == (line, subject)
    assert cause in problem.cause


def test_every_mistake_of_a_file_is_told_at_once(tmp_path):
    text = declared(service="service: web").replace("[string", "[strin").replace("addresses: [web]", "addresses: [wbe, cache, dbb]")
    with pytest.raises(DefinitionError) as raised:
        registry.generators(stack(tmp_path, text))
    told = {problem.subject: (problem.remedy, problem.mark.line) for problem in raised.value.problems}
    assert told["notes.write.addresses.0"] == ("did you mean 'web'?", 23)
    assert told["notes.write.addresses.2"] == ("did you mean 'db'?", 23)
    assert told["notes.write.outputs.properties.seen.type"][1] == 21


def test_the_schema_of_the_file_takes_what_is_read(tmp_path):
    assert not list(mistakes(load(DATA / "endpoints/notes.yaml").data, schema("generator")))
    assert list(mistakes({"owner": "a", "generators": {"notes": {}}}, schema("generator")))
