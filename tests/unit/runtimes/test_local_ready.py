"""A compose healthcheck, translated to something that can be asked from this machine."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seeder.definition.extension import ServiceExtension
from seeder.definition.service import Healthcheck, Service
from seeder.errors import Mark
from seeder.machine.process import Completed
from seeder.passed.target import Address
from seeder.runtimes._local_ready import Check, check, look
from tests.fakes.answering import answering


def service(*test: str, ready: dict[str, Any] | None = None) -> Service:
    extension = ServiceExtension.model_validate({"ready": ready} if ready else {})
    return Service("web", Mark(Path("compose.yaml"), 1), healthcheck=Healthcheck(test) if test else None, x=extension)


@pytest.mark.parametrize(
    ("test", "path", "port"),
    [
        (("CMD", "curl", "-f", "http://localhost:8000/health"), "/health", 8000),
        (("CMD-SHELL", "curl --fail -s http://127.0.0.1:8000/health?deep=1 || exit 1"), "/health?deep=1", 8000),
        (("CMD-SHELL", "wget -qO- http://0.0.0.0:9000/ > /dev/null"), "/", 9000),
        (("CMD", "wget", "--spider", "http://localhost"), "/", 80),
        (
            ("CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"),
            "/healthz",
            8000,
        ),
    ],
)
def test_a_plain_get_of_itself_becomes_a_get_from_here(test: tuple[str, ...], path: str, port: int) -> None:
    found = check(service(*test), (8000, 9000, 80))
    assert (found.kind, found.path, found.port) == ("http", path, port)


def test_curl_that_does_not_fail_takes_every_answer() -> None:
    assert check(service("CMD", "curl", "-s", "http://localhost:8000/"), (8000,)).below == 600
    assert check(service("CMD", "curl", "-sf", "http://localhost:8000/"), (8000,)).below == 400


@pytest.mark.parametrize(
    "line",
    [
        "test -f /tmp/ready",
        "echo ok | cat",
        "test -n x && curl -f http://localhost:8000/",
        "! false",
    ],
)
def test_other_checks_run_on_this_machine_when_their_program_is_here(line: str) -> None:
    assert check(service("CMD-SHELL", line), (8000,)) == Check(f"`{line}` on this machine", "command", words=("/bin/sh", "-c", line))


@pytest.mark.parametrize("line", ["no-such-probe --fast", "/no/such/probe"])
@pytest.mark.parametrize("form", ["CMD", "CMD-SHELL"])
def test_without_the_program_an_open_port_counts_and_that_is_said(line: str, form: str) -> None:
    found = check(service(form, *(line.split() if form == "CMD" else [line])), (8000,))
    assert (found.kind, found.port) == ("tcp", 8000)
    assert found.differs == f"its healthcheck runs {line.split(maxsplit=1)[0]}, which is not on this machine"


def test_seeder_s_own_word_comes_first() -> None:
    with_http = check(service("CMD", "curl", "http://localhost:8000/x", ready={"http": "/ready", "port": 9000}), (8000, 9000))
    assert (with_http.kind, with_http.path, with_http.port) == ("http", "/ready", 9000)
    assert check(service(ready={"tcp": 9000}), (8000, 9000)).port == 9000


def test_without_a_healthcheck_its_first_port_counts_and_without_a_port_its_life() -> None:
    assert check(service(), (8000,)).says == "port 8000 is open"
    assert check(service(), ()).kind == "alive"
    assert check(service("NONE"), ()).kind == "alive"


def test_that_it_lives_is_enough_where_its_healthcheck_is_switched_off() -> None:
    off = Service("web", Mark(Path("compose.yaml"), 1), healthcheck=Healthcheck(disabled=True))
    assert check(off, (8000,)).kind == "alive"


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()


@pytest.fixture
def server() -> Iterator[Address]:
    """Answers each path with the code it names."""
    with answering(_Answers) as port:
        yield Address("127.0.0.1", port)


@pytest.mark.parametrize(("code", "state"), [(200, "ready"), (204, "ready"), (302, "ready"), (404, "not yet"), (503, "not yet")])
def test_an_answer_below_400_is_ready(server: Address, code: int, state: str) -> None:
    verdict = look(Check(f"GET /{code}", "http", 8000, f"/{code}"), {8000: server}, _no_command)
    assert verdict.state == state
    assert str(code) in verdict.reason or state == "ready"


def test_an_answer_below_what_the_check_takes_is_ready(server: Address) -> None:
    assert look(Check("GET /503", "http", 8000, "/503", below=600), {8000: server}, _no_command).state == "ready"


def test_a_closed_port_is_not_ready_for_either_check() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        own = {8000: Address("127.0.0.1", closed.getsockname()[1])}
        for wanted in (Check("GET /", "http", 8000), Check("port", "tcp", 8000)):
            verdict = look(wanted, own, _no_command)
            assert (verdict.state, str(own[8000]) in verdict.reason) == ("not yet", True)


def test_a_server_that_speaks_no_http_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: _say(listener, b"hello\r\n\r\n"))
        thread.start()
        verdict = look(Check("GET /", "http", 8000), {8000: Address("127.0.0.1", listener.getsockname()[1])}, _no_command)
        thread.join()
    assert verdict.state == "not yet"
    assert "BadStatusLine" in verdict.reason


def test_a_command_is_ready_when_it_ends_with_zero() -> None:
    wanted = Check("`probe`", "command", words=("probe",))
    assert look(wanted, {}, lambda _: Completed(0, "")).state == "ready"
    assert look(wanted, {}, lambda _: Completed(2, "starting\nnot there")).reason == "`probe` ended with code 2: not there"


def _no_command(_: Check) -> Completed:
    raise AssertionError("no command was asked for")


def _say(listener: socket.socket, words: bytes) -> None:
    client, _ = listener.accept()
    with client:
        client.recv(1000)
        client.sendall(words)
