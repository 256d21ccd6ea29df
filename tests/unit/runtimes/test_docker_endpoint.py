"""The daemon is the one that the docker command would talk to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from seeder.docker_engine.endpoint import Endpoint, address, endpoint
from seeder.errors import EnvironmentFailed
from tests.fakes.answering import answering


@pytest.mark.parametrize(
    ("url", "host", "remote"),
    [
        ("unix:///run/user/1000/podman/podman.sock", "127.0.0.1", False),
        ("tcp://127.0.0.1:2375", "127.0.0.1", False),
        ("tcp://localhost:2375", "127.0.0.1", False),
        ("tcp://docker:2376", "docker", True),
        ("ssh://ci@build.example:22", "build.example", True),
    ],
)
def test_the_host_follows_docker_host(tmp_path, url, host, remote):
    found = endpoint({"DOCKER_HOST": url, "DOCKER_CONFIG": str(tmp_path)})
    assert (found.url, found.host, found.remote) == (url, host, remote)


@pytest.mark.parametrize(
    ("host", "known", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("2001:db8::7", [], "2001:db8::7"),
        ("docker", ["172.18.0.2"], "172.18.0.2"),
        ("docker", ["2001:db8::7", "172.18.0.2", "172.18.0.3"], "172.18.0.2"),
        ("docker", ["2001:db8::7"], "2001:db8::7"),
        ("alias-of-ssh", [], None),
    ],
)
def test_the_address_of_the_daemons_machine(host, known, expected):
    assert address(host, lambda name: known if name == host else []) == expected


def test_ports_listen_at_the_address_by_which_the_daemon_is_known():
    assert Endpoint().listens == "127.0.0.1"
    assert Endpoint("tcp://192.0.2.7:2376", "192.0.2.7").listens == "192.0.2.7"
    assert Endpoint("ssh://no-such-name.invalid", "no-such-name.invalid").listens == "0.0.0.0"


def test_certificates_are_used_when_asked_for(tmp_path):
    found = endpoint({"DOCKER_HOST": "tcp://docker:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"})
    assert found.tls == Path("/certs")


def write_context(folder: Path, name: str, host: str) -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_the_current_context_is_meant_and_a_variable_chooses_another(tmp_path):
    write_context(tmp_path, "colima", "unix:///home/me/.colima/docker.sock")
    write_context(tmp_path, "far", "ssh://far.example")
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    config = {"DOCKER_CONFIG": str(tmp_path)}
    assert endpoint(config).url == "unix:///home/me/.colima/docker.sock"
    assert endpoint(config | {"DOCKER_CONTEXT": "far"}).host == "far.example"
    assert endpoint(config | {"DOCKER_CONTEXT": "default"}) == Endpoint()


def test_a_context_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(EnvironmentFailed, match="no docker context gone"):
        endpoint({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "gone"})


class Engine(BaseHTTPRequestHandler):
    """Answers as an engine does: one question, one that it refuses, one whose answer is no JSON."""

    def do_GET(self) -> None:
        status, body = {"/networks?filters=x": (200, b'[{"Id": "1"}]'), "/version": (200, b"hello")}.get(
            self.path, (400, b'{"message": "bad"}')
        )
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine() -> Iterator[Endpoint]:
    with answering(Engine) as port:
        yield Endpoint(f"tcp://127.0.0.1:{port}")


def test_an_engine_is_asked_without_the_sdk(engine):
    assert engine.ask("/networks?filters=x") == [{"Id": "1"}]


def test_what_refuses_or_speaks_otherwise_gives_no_answer(engine):
    assert engine.ask("/elsewhere") is None
    assert engine.version() is None


def test_an_engine_behind_tls_is_not_asked_plainly(tmp_path):
    assert Endpoint("tcp://127.0.0.1:1", tls=tmp_path).ask("/version") is None


def test_nobody_there_is_no_answer_but_an_error(tmp_path):
    nobody = Endpoint(f"unix://{tmp_path}/none.sock")
    assert nobody.version() is None
    with pytest.raises(FileNotFoundError):
        nobody.ask("/version")
