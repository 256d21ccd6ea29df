"""Another machine's daemon, and none at all."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seeder.errors import EnvironmentFailed
from seeder.passed.run import Addition
from seeder.runtimes.docker import Docker
from tests.contract.docker_stack import OnDocker, docker, stack_of

SOCKET = "/var/run/docker.sock"


def own_address() -> str:
    """An address of this machine that is not the loopback one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but the loopback one")
        return str(probe.getsockname()[0])


class Forwarder:
    """The engine behind a TCP address of this machine, as another machine's would be, until it is stopped."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._server = socket.create_server((host, 0))
        self.url = f"tcp://{host}:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = [self._server]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, daemon = self._server.accept()[0], socket.socket(socket.AF_UNIX)
                self._open += [client, daemon]
                daemon.connect(SOCKET)
                for pair in ((client, daemon), (daemon, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def remote(monkeypatch) -> Iterator[Forwarder]:
    if not Path(SOCKET).exists():
        pytest.skip("the engine has no socket at its usual place")
    forwarder = Forwarder(own_address())
    monkeypatch.setenv("DOCKER_HOST", forwarder.url)
    yield forwarder
    forwarder.stop()


@pytest.mark.docker
class TestRemote(OnDocker):
    def test_services_are_reached_at_the_daemons_host(self, remote, opened, tmp_path):
        (tmp_path / "flags").write_text("fast")
        one = opened(
            """
            services:
              web:
                image: python:3.13-slim
                command: [python3, -m, http.server, "8000", --directory, /served]
                configs: [{source: conf, target: /served/conf}]
                x-seeder: {ready: {http: /conf}}
                expose: [8000]
            configs: {conf: {content: "inline"}}
            """,
            additions={"web": Addition(files={"/served/flags": tmp_path / "flags"})},
        ).prepare()
        one.up("web")
        assert one.addresses["web", 8000].host == remote.host
        assert docker("exec", one.container("web"), "cat", "/served/conf", "/served/flags") == "inlinefast"
        assert docker("port", one.container("web"), "8000").startswith(f"{remote.host}:")
        assert "\n" not in docker("port", one.container("web"), "8000")

    @pytest.mark.usefixtures("remote")
    def test_behind_a_translated_address_ports_are_published_everywhere_and_that_is_said(self, opened):
        one = opened("services: {a: {image: 'python:3.13-slim', command: [python3, -m, http.server, '8000'], expose: [8000]}}")
        one.containers._listens = "192.0.2.1"  # of nobody
        one.prepare().up("a")
        assert docker("port", one.container("a"), "8000").startswith("0.0.0.0:")
        assert one.notices == ["mini"]

    def test_a_daemon_that_stops_in_the_midst_of_a_run_is_said_so(self, remote, opened, monkeypatch):
        one = opened("services: {web: {image: 'python:3.13-slim', command: [sleep, '60']}}").prepare().up("web")
        remote.stop()
        with pytest.raises(EnvironmentFailed, match=r"docker: the daemon does not answer at .*: .*refused"):
            one.look("web")
        monkeypatch.delenv("DOCKER_HOST")
        assert Docker().sweep(one.run.id).left == ()

    def test_folders_of_this_machine_are_refused_before_anything_starts(self, remote, tmp_path):
        text = """
            services:
              web: {image: "redis:8", volumes: ["./conf:/conf:ro"]}
              db: {image: "postgres:17", volumes: ["./d:/var/lib/postgresql/data"]}
            """
        notices = Docker().survey(stack_of(tmp_path, text))
        [refused] = [notice for notice in notices if notice.refused]
        assert (refused.subject, "cannot see" in refused.message) == ("web", True)
        assert any(f"published at {remote.host}" in notice.message for notice in notices)


class TestNoDaemon:
    def test_a_daemon_that_does_not_answer_is_a_problem_with_a_remedy(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        problem = Docker().available()
        assert problem
        assert problem.remedy

    def test_a_missing_docker_command_is_a_problem_with_a_remedy(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        problem = Docker().available()
        assert problem
        assert "no docker command" in problem.cause

    def test_what_is_missing_of_the_sdk_is_named_with_seeders_extra(self, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", "ssh://ci@far.example")  # what the SDK alone can reach
        monkeypatch.setitem(sys.modules, "requests", None)
        with pytest.raises(EnvironmentFailed, match=r"(?s)seeder's extra `docker` is not installed.*pip install 'seeder-env\[docker\]'"):
            Docker().sweep("t-none")

    @pytest.mark.skipif(importlib.util.find_spec("paramiko") is not None, reason="paramiko is installed")
    def test_a_daemon_behind_ssh_names_the_package_that_it_needs(self, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", "ssh://ci@far.example")
        with pytest.raises(EnvironmentFailed, match="needs the package paramiko"):
            Docker().sweep("t-none")

    @pytest.mark.docker
    def test_a_daemon_that_goes_away_is_said_so(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        with pytest.raises(EnvironmentFailed, match=r"docker: the daemon does not answer at .*: .*No such file"):
            Docker().sweep("t-none")
