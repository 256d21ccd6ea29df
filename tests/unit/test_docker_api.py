"""What a docker daemon answers, read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from seeder.docker_engine.api import Daemon, identity_of
from seeder.docker_engine.endpoint import Endpoint
from seeder.errors import EnvironmentFailed
from seeder.runtimes._docker_diagnosis import diagnose
from tests.fakes.answering import answering

ONE = {"ID": "a1", "Name": "build", "DockerRootDir": "/var/lib/docker"}


def test_an_engine_is_known_by_its_id() -> None:
    assert identity_of(ONE, ONE) == "a1"


def test_an_engine_that_makes_up_ids_is_known_by_its_machine_and_folder() -> None:
    assert identity_of(ONE, {**ONE, "ID": "b2"}) == "build:/var/lib/docker"
    assert identity_of({**ONE, "ID": ""}, {**ONE, "ID": ""}) == "build:/var/lib/docker"


@pytest.fixture
def busy_engine() -> Iterator[tuple[Daemon, list[str]]]:
    """An engine that cannot freeze what it is asked to pause until it is asked a second time, and refuses to pause `gone`, of
    which name it has neither an image nor a container; and what it was asked."""
    asked: list[str] = []

    class Engine(BaseHTTPRequestHandler):
        def _answer(self, status: int, said: object) -> None:
            body = json.dumps(said).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            what = next((kind for kind in ("image", "container") if f"/{kind}s/gone/" in self.path), None)
            if what:
                asked.append(self.path)
                self._answer(404, {"message": f"No such {what}: gone"})
            else:
                self._answer(200, {"ApiVersion": "1.45"})

        def do_POST(self) -> None:
            asked.append(self.path)
            if "/gone/" in self.path:
                self._answer(409, {"message": "container gone is not running"})
            elif len(asked) == 1:
                self._answer(500, {"message": "OCI runtime pause failed: unable to freeze: unknown"})
            else:
                self._answer(204, None)

    with answering(Engine) as port:
        daemon = Daemon(Endpoint(f"tcp://127.0.0.1:{port}"))
        yield daemon, asked
        if "_client" in vars(daemon):
            daemon._client.close()


def test_what_a_busy_machine_could_not_freeze_is_paused_by_asking_again(busy_engine):
    daemon, asked = busy_engine
    daemon.pause("web", "web")
    assert [path.rpartition("/containers")[2] for path in asked] == ["/web/pause"] * 2


def test_an_engine_that_does_not_answer_is_told_with_its_address_and_doctor_names_no_doctor(tmp_path):
    nowhere = f"unix://{tmp_path}/none"
    with pytest.raises(EnvironmentFailed, match=f"the daemon does not answer at {nowhere}: .*\n.*`seeder doctor` looks closer"):
        Daemon(Endpoint(nowhere)).ping()
    [_, found] = diagnose(lambda: Daemon(Endpoint(nowhere)))
    assert (found.state, "doctor" in found.remedy) == ("fail", False)
    assert nowhere in found.finding


def test_what_the_engine_refuses_to_pause_is_told_at_once(busy_engine):
    daemon, asked = busy_engine
    with pytest.raises(EnvironmentFailed, match="gone is not running"):
        daemon.pause("gone", "web")
    assert len(asked) == 1


def test_an_image_that_is_not_there_is_asked_for_once_and_without_the_sdk(busy_engine):
    """Its import takes a quarter of a plan, and every image that is still to be built is asked for."""
    daemon, asked = busy_engine
    assert daemon.image("gone") is None
    assert asked == ["/images/gone/json"]
    assert "_client" not in vars(daemon)


def test_a_container_that_is_not_there_is_told_in_the_engine_s_words(busy_engine):
    daemon, _ = busy_engine
    with pytest.raises(EnvironmentFailed, match="web: docker says: No such container: gone"):
        daemon.state("gone", "web")
