"""Requests of a `.http` file, sent to a real service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.definition.dataset import Part
from seeder.errors import DefinitionError, EnvironmentFailed
from seeder.loaders.http import HttpCaller
from tests.fakes.world import LiveWorld, opened, read

# It answers with what it was sent, with 404 below /nothing and with 500 below /broken.
SERVICE = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Echo(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        entry = {"method": self.command, "path": self.path, "body": body}
        entry |= {"type": self.headers.get("Content-Type"), "key": self.headers.get("Key")}
        with open("seen.jsonl", "a") as log:
            log.write(json.dumps(entry) + "\\n")
        content = b"ok" if "/nothing" not in self.path and "/broken" not in self.path else b"it is   not\\nhere " * 100
        self.send_response(404 if "/nothing" in self.path else 500 if "/broken" in self.path else 201)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    do_GET = do_POST = do_PUT = do_DELETE = answer

ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Echo).serve_forever()
"""
COMPOSE = """
services:
  api:
    image: python:3.13-slim
    expose: ["8000"]
    x-seeder: {local: {command: ["{python}", "echo.py", "{host}", "{port}"]}, ready: {http: /}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorld]:
    folder = tmp_path_factory.mktemp("echo")
    (folder / "echo.py").write_text(SERVICE)
    (folder / "compose.yaml").write_text(COMPOSE)
    with opened(read(folder / "compose.yaml"), "api") as live:
        yield live


@pytest.fixture
def seen(world: LiveWorld) -> Path:
    path = world.stack.project_dir / "seen.jsonl"
    path.unlink(missing_ok=True)
    return path


def call(world: LiveWorld, folder: Path, text: str) -> int:
    path = folder / "replay.http"
    path.write_text(text, encoding="utf-8")
    return HttpCaller().call(Part("http", "api", "replay", path, "http"), world)


def requests(seen: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in seen.read_text().splitlines()]


def test_requests_are_sent_in_order_as_they_are_written(world: LiveWorld, tmp_path: Path, seen: Path) -> None:
    text = (
        "# the story of an order\n\n### place it\n# expect 201\nPOST /orders HTTP/1.1\nKey: 7\n\n"
        '{"placed_at": "as_of-2d", "lines": [{"on": "as_of"}], "note": "as_of the day", "total": 19.90}\n\n\n'
        "###\nPUT /orders/1\nContent-Type: text/plain\n\nas_of\nand more\n### \nGET /orders?page=1\n###\n"
    )
    assert call(world, tmp_path, text) == 3
    first, second, third = requests(seen)
    assert (first["method"], first["path"], first["key"], first["type"]) == ("POST", "/orders", "7", "application/json")
    body = {"placed_at": "2026-01-13T12:00:00Z", "lines": [{"on": "2026-01-15T12:00:00Z"}], "note": "as_of the day", "total": 19.9}
    assert json.loads(first["body"]) == body
    assert (second["method"], second["type"], second["body"]) == ("PUT", "text/plain", "as_of\nand more")
    assert (third["method"], third["path"], third["body"]) == ("GET", "/orders?page=1", "")


def test_an_answer_that_was_not_expected_ends_the_replay(world: LiveWorld, tmp_path: Path, seen: Path) -> None:
    with pytest.raises(EnvironmentFailed) as caught:
        call(world, tmp_path, "### first\nGET /\n\n### look\nGET /nothing\n\n###\nGET /never\n")
    message = str(caught.value)
    assert f"{tmp_path / 'replay.http'}:5: GET /nothing (look): api answered 404" in message
    assert "expected below 400: it is not here it is not here" in message
    assert len(message) < 900
    assert [request["path"] for request in requests(seen)] == ["/", "/nothing"]


def test_a_refusal_can_be_expected(world: LiveWorld, tmp_path: Path, seen: Path) -> None:
    assert call(world, tmp_path, "# expect 404\nGET /nothing\n") == 1
    with pytest.raises(EnvironmentFailed, match=r"api answered 201 Created, expected 200"):
        call(world, tmp_path, "# @name make\n# expect 200\nGET /\n")


def test_all_badly_written_requests_are_told_before_any_is_sent(world: LiveWorld, tmp_path: Path, seen: Path) -> None:
    text = "GET /fine\n###\nFETCH /x\n###\nGET http://localhost:8000/x\n###\nPOST /x\nno header\n###\n# expect ok\nGET /x\n###\nGET\n"
    with pytest.raises(DefinitionError) as caught:
        call(world, tmp_path, text)
    assert [problem.mark.line for problem in caught.value.problems if problem.mark] == [3, 5, 8, 11, 13]
    message = str(caught.value)
    for part in ("FETCH is no method", "a path begins with /", "'no header' is no header", "'ok' is no HTTP status", "'GET' is no request"):
        assert part in message
    with pytest.raises(DefinitionError, match="no relative date"):
        call(world, tmp_path, 'POST /x\n\n{"at": "as_of-soon"}\n')
    assert not seen.exists()


def test_a_service_that_does_not_answer_is_named(world: LiveWorld, tmp_path: Path) -> None:
    world.http("api").close()
    stack = world.stack
    with opened(stack) as silent, pytest.raises(EnvironmentFailed, match=r"api did not answer: .*refused"):
        call(silent, tmp_path, "GET /\n")
