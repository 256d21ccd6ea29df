"""What a docker daemon answers, read."""

from __future__ import annotations

from seeder.docker_api import identity_of

ONE = {"ID": "a1", "Name": "build", "DockerRootDir": "/var/lib/docker"}


def test_an_engine_is_known_by_its_id() -> None:
    assert identity_of(ONE, ONE) == "a1"


def test_an_engine_that_makes_up_ids_is_known_by_its_machine_and_folder() -> None:
    assert identity_of(ONE, {**ONE, "ID": "b2"}) == "build:/var/lib/docker"
    assert identity_of({**ONE, "ID": ""}, {**ONE, "ID": ""}) == "build:/var/lib/docker"
