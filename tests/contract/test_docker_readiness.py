"""seeder itself decides when a container is ready, and says at once when it never will be."""

from __future__ import annotations

import json
import socket

import pytest

from seeder.errors import EnvironmentFailed
from seeder.wait import wait_for
from tests.contract.docker_stack import OnDocker, docker

SLOW = "import time, pathlib, http.server as h; time.sleep(1); pathlib.Path('/ready').touch(); "
PYTHON = "image: 'python:3.13-slim'"


def serve(address: str, after: float = 0.0) -> list[str]:
    code = f"import time, http.server as h; time.sleep({after}); h.test(h.SimpleHTTPRequestHandler, bind='{address}', port=8000)"
    return ["python3", "-c", code]


@pytest.mark.docker
class TestReadiness(OnDocker):
    @pytest.mark.parametrize(
        "check",
        [
            "healthcheck: {test: ['CMD', 'curl', '-f', 'http://localhost:8000/']}",
            "healthcheck: {test: 'test -e /ready && sleep 0'}",
            "x-seeder: {ready: {http: /}}, ports: ['8000']",
            "x-seeder: {ready: {tcp: 8000}}",
        ],
        ids=["http from here", "command inside", "ready http", "ready tcp"],
    )
    def test_a_service_is_ready_when_its_check_says_so(self, opened, check):
        command = ["python3", "-c", SLOW + "h.test(h.SimpleHTTPRequestHandler, port=8000)"]
        one = opened(f"services: {{web: {{{PYTHON}, command: {command}, {check}}}}}").prepare()
        one.containers.start("web")
        assert one.look("web").state == "not yet"
        wait_for("web", lambda: one.look("web"), within=20)

    def test_a_check_of_an_address_that_is_only_inside_is_asked_inside(self, opened):
        check = "healthcheck: {test: ['CMD-SHELL', \"python3 -c \\\"import urllib.request as r; r.urlopen('http://127.0.0.1:8000/')\\\"\"]}"
        one = opened(f"services: {{web: {{{PYTHON}, command: {serve('127.0.0.1')}, {check}}}}}")
        one.prepare().up("web", within=20)

    def test_the_images_own_healthcheck_counts_when_the_file_has_none(self, token, opened, tmp_path):
        check = "HEALTHCHECK --interval=1h CMD test -e /ready"
        (tmp_path / "Dockerfile").write_text(f"FROM python:3.13-slim\nLABEL seeder.test={token}\n{check}\n")
        wait = "sleep 1; touch /ready; sleep 60"
        one = opened(f"services: {{web: {{build: ., command: [sh, -c, '{wait}']}}}}").prepare()
        one.containers.start("web")
        assert one.look("web").state == "not yet"
        wait_for("web", lambda: one.look("web"), within=20)

    def test_running_is_healthy_where_nothing_is_said(self, opened):
        off = "healthcheck: {disable: true}"
        one = opened(f"services: {{web: {{{PYTHON}, command: [sleep, '60'], {off}}}}}").prepare()
        one.containers.start("web")
        assert one.look("web").state == "ready"

    @pytest.mark.parametrize("port", ["ports: ['8000']", "expose: ['8000']"])
    def test_without_a_check_the_first_written_port_must_be_listened_on(self, opened, port):
        one = opened(f"services: {{web: {{{PYTHON}, command: {serve('0.0.0.0', after=2)}, {port}}}}}").prepare()
        one.containers.start("web")
        assert one.look("web").reason == "nothing listens on port 8000"
        assert one.look("web", "started").state == "ready"
        wait_for("web", lambda: one.look("web"), within=20)
        with socket.create_connection((one.addresses["web", 8000].host, one.addresses["web", 8000].port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(4) == b"HTTP"

    def test_a_service_that_serves_only_itself_is_told_what_would_do(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, command: {serve('127.0.0.1')}, ports: ['8000', '9000']}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match="web: not ready after 2 s: nothing listens on port 8000") as failed:
            wait_for("web", lambda: one.look("web"), within=2)
        for word in ("0.0.0.0", "x-seeder: {ready: {tcp: PORT}}", "remove the port", "healthcheck: {disable: true}"):
            assert word in failed.value.problems[0].remedy

    def test_one_of_the_ports_of_the_image_is_enough_and_a_worker_of_it_needs_none(self, token, opened, tmp_path):
        late = json.dumps(serve("0.0.0.0", after=2))
        (tmp_path / "Dockerfile").write_text(f"FROM python:3.13-slim\nLABEL seeder.test={token}\nEXPOSE 7000 8000\nCMD {late}\n")
        worker = "{build: ., command: [sleep, '60']}"
        quiet = "{build: ., entrypoint: [sleep, '60'], ports: ['9000'], healthcheck: {disable: true}}"
        one = opened(f"services: {{web: {{build: .}}, worker: {worker}, quiet: {quiet}}}").prepare()
        one.containers.start("web")
        assert one.look("web").reason == "nothing listens on any of the ports 7000, 8000"
        for name in ("worker", "quiet"):
            one.containers.start(name)
            assert one.look(name).state == "ready"
        wait_for("web", lambda: one.look("web"), within=20)

    def test_a_port_by_which_others_know_it_counts_as_well(self, opened):
        client = f"{{{PYTHON}, command: [sleep, '60'], environment: {{WEB: 'http://web:8000'}}}}"
        one = opened(f"services: {{web: {{{PYTHON}, command: {serve('0.0.0.0', after=2)}}}, client: {client}}}").prepare()
        one.containers.start("web")
        assert one.look("web").reason == "nothing listens on port 8000"
        wait_for("web", lambda: one.look("web"), within=20)

    def test_a_service_that_ends_before_it_listens_is_told_at_once(self, opened):
        command = ["python3", "-c", "import time; time.sleep(1); raise SystemExit('no settings')"]
        one = opened(f"services: {{web: {{{PYTHON}, command: {command}, ports: ['8000']}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match="web: it ended with code 1") as failed:
            wait_for("web", lambda: one.look("web"), within=20)
        assert failed.value.log == "no settings"

    def test_a_check_that_the_image_cannot_run_is_said_at_once(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, command: [sleep, '60'], healthcheck: {{test: [CMD, not-there]}}}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match="the image has no not-there; say `x-seeder"):
            wait_for("web", lambda: one.look("web"), within=20)

    def test_a_check_that_hangs_does_not_hang_seeder(self, opened):
        check = "healthcheck: {test: [CMD, sleep, '60'], timeout: 1s}"
        one = opened(f"services: {{web: {{{PYTHON}, command: [sleep, '60'], {check}}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match="healthcheck did not end within 1 s"):
            wait_for("web", lambda: one.look("web"), within=2)

    def test_a_container_that_exits_says_its_code_and_last_words(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, restart: always, command: [sh, -c, 'echo no settings; exit 3']}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match="it ended with code 3") as failed:
            wait_for("web", lambda: one.look("web", "completed"), within=20)
        assert "no settings" in failed.value.log

    def test_a_service_that_ends_well_was_never_healthy_but_has_started_and_completed(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, command: ['true']}}}}").prepare()
        one.containers.start("web")
        wait_for("web", lambda: one.look("web", "completed"), within=20)
        assert one.look("web", "started").state == "ready"
        assert one.look("web", "healthy").state == "never"

    def test_a_container_killed_for_memory_says_so(self, opened):
        command = ["python3", "-c", "a = b'x' * (200 << 20)"]
        one = opened(f"services: {{web: {{{PYTHON}, command: {command}, mem_limit: 20m, memswap_limit: 20m}}}}").prepare()
        one.containers.start("web")
        with pytest.raises(EnvironmentFailed, match=r"was killed.* memory"):
            wait_for("web", lambda: one.look("web", "completed"), within=20)

    def test_a_command_that_is_not_there_is_an_error_of_the_service(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, command: [not-there]}}}}").prepare()
        with pytest.raises(EnvironmentFailed, match=r"web: .*not-there"):
            one.containers.start("web")
        assert one.look("web").state == "never"

    def test_a_container_that_somebody_removed_is_an_error(self, opened):
        one = opened(f"services: {{web: {{{PYTHON}, command: [sleep, '60']}}}}").prepare().up("web")
        docker("rm", "-f", one.container("web"))
        with pytest.raises(EnvironmentFailed, match="No such container"):
            one.look("web")
